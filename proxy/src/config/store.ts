// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type Any, create, packAny } from "@msm/xds-protos";
import { ClusterLoadAssignmentSchema } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { ConfigError } from "../config-error.ts";
import type { Plan, PlanRejection, SocketAddress } from "../plan.ts";
import { bindAdvice } from "./bind-advice.ts";
import { type BuiltPlan, buildPlan, emptyPlan, type ListenerValue } from "./build-plan.ts";
import { elideCode } from "./elide-code.ts";
import { EndpointBudget, MAX_ENDPOINTS } from "./endpoint-budget.ts";
import type { FilterLoader } from "./filter-loader.ts";
import { findDuplicate } from "./find-duplicate.ts";
import { emptyAssignment } from "./read-load-assignment.ts";
import { type ResourceValues, readResource } from "./read-resource.ts";
import { at, refuse } from "./refuse.ts";
import {
  type Accepted,
  digestOf,
  type Rejection,
  type Resource,
  type ResourceType,
  type ResourceUpdate,
} from "./resource.ts";
import { ResourceTable } from "./resource-table.ts";
import { secretNamesOf } from "./tls/read-common-tls.ts";
import { redactSecrets } from "./tls/redact-secrets.ts";

/** What the store needs of the world. */
export interface StoreOptions {
  readonly loader: FilterLoader;
  /** The datapath: makes a plan happen, and tells which listeners it could not open. */
  readonly applyPlan: (plan: Plan) => Promise<readonly PlanRejection[]>;
  /** Throws a `ConfigError` where an address could not be bound. */
  readonly probeAddress: (address: SocketAddress, field: string, protocol: "udp" | "tcp") => Promise<void>;
  /** Told of each resource that is refused. */
  readonly onRefused?: (type: ResourceType, error: ConfigError) => void;
  /** Endpoints that all clusters may have together; `MAX_ENDPOINTS` unless given. */
  readonly maxEndpoints?: number;
}

/** The resources of each type. */
export type ResourceTables = { readonly [Type in ResourceType]: ResourceTable<ResourceValues[Type]> };

/**
 * Holds the configuration in force and changes it: one update at a time is read, put together with the rest to a
 * plan, and given to the datapath. A resource that is refused leaves its last good form in force, and its
 * neighbours are applied.
 */
export class ConfigStore {
  readonly tables: ResourceTables = {
    cluster: new ResourceTable(),
    clusterLoadAssignment: new ResourceTable(),
    listener: new ResourceTable(),
    secret: new ResourceTable(),
    routeConfiguration: new ResourceTable(),
    typedExtensionConfig: new ResourceTable(),
  };
  readonly #options: StoreOptions;
  #built: BuiltPlan = emptyPlan;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /** The plan in force, with what is active and what waits. */
  get built(): BuiltPlan {
    return this.#built;
  }

  /** The names of EDS resources that the clusters need. */
  assignmentNames(): ReadonlySet<string> {
    const clusters = this.tables.cluster.accepted().map(({ value }) => value.endpoints);
    return new Set(
      clusters.flatMap((endpoints) => (endpoints.kind === "eds" ? [endpoints.serviceName] : [])),
    );
  }

  /** The names of ECDS resources that the listeners need, in the form in force and the one that waits. */
  filterNames(): ReadonlySet<string> {
    const slots = this.#listeners().flatMap(({ value }) => value.filters);
    return new Set(slots.flatMap((slot) => (slot.kind === "discovered" ? [slot.name] : [])));
  }

  /** The names of RDS resources that the listeners need, in the form in force and the one that waits. */
  routeNames(): ReadonlySet<string> {
    return new Set(
      this.#listeners().flatMap(({ value }) =>
        value.kind === "signalling" && value.config.routes.kind === "rds" ? [value.config.routes.name] : [],
      ),
    );
  }

  /** The names of SDS resources that the listeners need, in the form in force and the one that waits. */
  secretNames(): ReadonlySet<string> {
    return new Set(
      this.#listeners().flatMap(({ value }) =>
        value.kind === "signalling" && value.config.tls !== undefined ? secretNamesOf(value.config.tls) : [],
      ),
    );
  }

  /** Applies one update; resolves when the datapath has it. Must not be called again before. */
  async apply(update: ResourceUpdate): Promise<readonly Rejection[]> {
    const rejections: Rejection[] = [];
    for (const name of update.removed) this.#remove(update.type, name);
    const budget = new EndpointBudget(this.tables, this.#options.maxEndpoints ?? MAX_ENDPOINTS);
    for (const resource of update.added) {
      const error = await this.#accept(update.type, resource, budget);
      if (error !== undefined) rejections.push({ name: resource.name, error });
    }
    if (update.type === "listener") {
      const refusedNames = new Set(rejections.map(({ name }) => name));
      const changed = update.added.filter(({ name }) => !refusedNames.has(name));
      rejections.push(...this.#refuseDuplicates(changed));
    }
    const refused = await this.#enforce();
    // A listener may also fail when what it waited for has come; its own update was answered before then.
    const answerable = new Set(update.type === "listener" ? update.added.map(({ name }) => name) : []);
    rejections.push(...refused.filter(({ name }) => answerable.has(name)));
    this.tables.clusterLoadAssignment.keepOnly(this.assignmentNames());
    this.tables.typedExtensionConfig.keepOnly(this.filterNames());
    this.tables.routeConfiguration.keepOnly(this.routeNames());
    this.tables.secret.keepOnly(this.secretNames());
    return rejections;
  }

  /** The newest forms of the listeners, and those in force. */
  #listeners(): readonly Accepted<ListenerValue>[] {
    return [
      ...this.tables.listener.accepted(),
      ...[...this.#built.active.values()].map(({ resource }) => resource),
    ];
  }

  /** Reads a resource and takes it into its table; returns why not, if not. */
  async #accept(
    type: ResourceType,
    resource: Resource,
    budget: EndpointBudget,
  ): Promise<ConfigError | undefined> {
    const table: ResourceTable<ResourceValues[ResourceType]> = this.tables[type];
    const current = table.get(resource.name);
    try {
      if (current?.isStatic && !resource.isStatic) {
        refuse(
          "MSM_XDS_STATIC",
          "name",
          `"${resource.name}" is in the bootstrap file; rename one of the two`,
        );
      }
      const { name, version, isStatic } = resource;
      const digest = digestOf(resource.body);
      if (current?.digest === digest && current.version === version) {
        table.accept(current);
        return undefined;
      }
      const value = await readResource(type, resource, this.#options.loader);
      if (isListener(value)) await this.#probe(name, value, at(resource.path, "address"));
      budget.take(value, current?.value, resource.path);
      const body = keptBody(type, resource);
      table.accept({ name, version, isStatic, body, digest, updatedAt: new Date(), value });
      return undefined;
    } catch (error) {
      const refusal = error instanceof ConfigError ? error : faultError(error);
      table.refuse({ ...resource, body: keptBody(type, resource) }, refusal);
      this.#options.onRefused?.(type, refusal);
      return refusal;
    }
  }

  /** Addresses that listeners of this proxy have now are theirs to exchange. */
  async #probe(name: string, { kind, config }: ListenerValue, field: string): Promise<void> {
    const { address, port } = config.address;
    const isSame = (other: ListenerValue | undefined) =>
      other?.kind === kind && other.config.address.port === port && other.config.address.address === address;
    const isOurs = [...this.#built.active.values()].some(({ resource }) => isSame(resource.value));
    const isUnchanged = isSame(this.tables.listener.get(name)?.value);
    const protocol = kind === "udp" ? "udp" : "tcp";
    if (port !== 0 && !isOurs && !isUnchanged) {
      await this.#options.probeAddress({ address, port }, field, protocol);
    }
  }

  #remove(type: ResourceType, name: string): void {
    const current = this.tables[type].get(name);
    if (current?.isStatic) return;
    if (type !== "clusterLoadAssignment") {
      this.tables[type].remove(name);
      return;
    }
    // The server does not know it: the cluster is complete without endpoints, or keeps those that it had.
    if (current !== undefined || !this.assignmentNames().has(name)) return;
    const body = packAny(
      ClusterLoadAssignmentSchema,
      create(ClusterLoadAssignmentSchema, { clusterName: name }),
    );
    const value = emptyAssignment(name);
    this.tables.clusterLoadAssignment.accept({
      ...{ name, version: "", isStatic: false, body, digest: "", updatedAt: new Date(), value },
    });
  }

  /** Each listener that is put back may want its old address again, so the search begins anew after each. */
  #refuseDuplicates(changed: readonly Resource[]): readonly Rejection[] {
    const rejections: Rejection[] = [];
    const paths = new Map(changed.map(({ name, path }) => [name, path]));
    for (;;) {
      const duplicate = findDuplicate(this.tables.listener.accepted(), new Set(paths.keys()));
      if (duplicate === undefined) return rejections;
      const { name, holder, address } = duplicate;
      const problem = `${address} is already the address of listener "${holder}"; use another port`;
      const field = at(paths.get(name) ?? "", "address");
      const error = new ConfigError("MSM_LISTENER_DUPLICATE_ADDRESS", field, problem);
      this.#revertListener(name, error);
      paths.delete(name);
      rejections.push({ name, error });
    }
  }

  /** Puts a listener back to the form in force, if there is one. */
  #revertListener(name: string, error: ConfigError): void {
    const table = this.tables.listener;
    const failed = table.get(name);
    if (failed === undefined) return;
    const active = this.#built.active.get(name);
    if (active !== undefined) table.accept(active.resource);
    else table.withdraw(name);
    table.refuse(failed, error);
    this.#options.onRefused?.("listener", error);
  }

  /** Makes the datapath follow the tables; returns the listeners that it refused and that were put back. */
  async #enforce(): Promise<readonly Rejection[]> {
    const next = this.#build();
    if (isSamePlan(next.plan, this.#built.plan)) {
      this.#built = next;
      return [];
    }
    const refused = await this.#options.applyPlan(next.plan);
    if (refused.length === 0) {
      this.#built = next;
      return [];
    }
    const rejections = refused.map(({ listener, error }) => ({ name: listener, error: bindError(error) }));
    for (const { name, error } of rejections) this.#revertListener(name, error);
    // With the listeners put back the plan names what they had, clusters that go with this update included.
    this.#built = this.#build();
    await this.#options.applyPlan(this.#built.plan);
    return rejections;
  }

  #build(): BuiltPlan {
    const { tables } = this;
    const config = {
      listeners: tables.listener.accepted(),
      clusters: tables.cluster.accepted(),
      assignment: (name: string) => tables.clusterLoadAssignment.get(name)?.value,
      filter: (name: string) => tables.typedExtensionConfig.get(name)?.value,
      routes: (name: string) => tables.routeConfiguration.get(name)?.value,
      secret: (name: string) => tables.secret.get(name)?.value,
    };
    return buildPlan(config, this.#built);
  }
}

function isListener(value: ResourceValues[ResourceType]): value is ListenerValue {
  return "config" in value && "filters" in value;
}

/** What is kept of a resource for people to see: listeners and filters may hold modules, and most of them secrets. */
function keptBody(type: ResourceType, { body }: Resource): Any {
  if (type === "clusterLoadAssignment" || type === "routeConfiguration") return body;
  return redactSecrets(type === "listener" || type === "typedExtensionConfig" ? elideCode(body) : body);
}

/** A fault of this program while it read a resource: media goes on, and whoever sent the resource learns of it. */
function faultError(error: unknown): ConfigError {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new ConfigError("MSM_CONFIG_FAULT", "resource", `the proxy failed while it read it: ${reason}`);
}

function bindError(error: Error): ConfigError {
  return error instanceof ConfigError
    ? error
    : new ConfigError(
        "MSM_LISTENER_BIND",
        "address",
        `cannot be opened: ${error.message}; ${bindAdvice(error)}`,
      );
}

function isSamePlan(a: Plan, b: Plan): boolean {
  return (
    isSameList(a.listeners, b.listeners) &&
    isSameList(a.signalling ?? [], b.signalling ?? []) &&
    isSameList(a.clusters, b.clusters)
  );
}

function isSameList(a: readonly object[], b: readonly object[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
