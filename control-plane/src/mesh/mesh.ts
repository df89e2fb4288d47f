// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isSameList } from "../is-same-list.ts";
import { type KindName, kinds, type Model, type Resource } from "../model/index.ts";
import { keyOf, type ResourceId } from "../refusal.ts";
import { type Lookup, lookupIn, withReplaced } from "./lookup.ts";

/** Checked resources by kind and key, in order of precedence: of two that want the same, the first has it. */
export type Mesh = { readonly [Name in KindName]: Lookup<Model<Name>> } & {
  /** The EndpointSlices of each Service, by the Service's key. */
  readonly slicesOf: Lookup<readonly Model<"EndpointSlice">[]>;
  /** The policy of each Service that has one, by the Service's key. */
  readonly servicePolicies: Lookup<Model<"ServicePolicy">>;
};

/**
 * Indexes resources by kind, keeping their order. Kinds and lists that are as they were in `before` are the same
 * objects, which is how later steps know that they have nothing to do.
 */
export function buildMesh(resources: Iterable<Resource>, before?: Mesh): Mesh {
  const lists = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, [] as Resource[]]));
  for (const resource of resources) lists[resource.id.kind]?.push(resource);
  const byKind = Object.fromEntries(
    Object.entries(lists).map(([kind, list]) => {
      const known = before?.[kind as KindName];
      return [kind, known !== undefined && isSameList(known.values(), list) ? known : indexByKey(list)];
    }),
    // Each list holds what its kind's `parse` made: `id.kind` and the model type go together.
  ) as unknown as Mesh;
  const isKnown = before !== undefined && before.EndpointSlice === byKind.EndpointSlice;
  const slicesOf = isKnown
    ? before.slicesOf
    : slicesByService(byKind.EndpointSlice.values(), before?.slicesOf);
  const servicePolicies =
    before !== undefined && before.ServicePolicy === byKind.ServicePolicy
      ? before.servicePolicies
      : policiesByService(byKind.ServicePolicy.values());
  return { ...byKind, slicesOf, servicePolicies };
}

/** The mesh with other forms of resources that it has. It costs as much as the kinds that they are of. */
export function replaceInMesh(before: Mesh, resources: readonly Resource[]): Mesh {
  const changed = new Map<KindName, [string, Resource][]>();
  for (const resource of resources) {
    const kind = resource.id.kind as KindName;
    changed.set(kind, [...(changed.get(kind) ?? []), [keyOf(resource.id), resource]]);
  }
  const kept = Object.entries(before) as unknown as [KindName, Lookup<Resource>][];
  const after = Object.fromEntries(
    kept.map(([kind, known]) => [kind, changed.has(kind) ? withReplaced(known, changed.get(kind)!) : known]),
  ) as unknown as Mesh;
  const servicePolicies = changed.has("ServicePolicy")
    ? policiesByService(after.ServicePolicy.values())
    : before.servicePolicies;
  if (!changed.has("EndpointSlice")) return { ...after, servicePolicies };
  return {
    ...after,
    servicePolicies,
    slicesOf: replacedSlices(before, changed.get("EndpointSlice") as [string, Slice][]),
  };
}

// Whoever comes first has it; the check of policies tells the other.
function policiesByService(policies: readonly Model<"ServicePolicy">[]): Mesh["servicePolicies"] {
  const byService = new Map<string, Model<"ServicePolicy">>();
  for (const policy of policies) {
    for (const name of policy.services) {
      const key = keyOf({ kind: "Service", namespace: policy.id.namespace, name });
      if (!byService.has(key)) byService.set(key, policy);
    }
  }
  return lookupIn(byService);
}

/** The form of a resource that is in a mesh. */
export function inForceIn(mesh: Mesh, id: ResourceId): Resource | undefined {
  return mesh[id.kind as KindName].get(keyOf(id));
}

function indexByKey(list: readonly Resource[]): Lookup<Resource> {
  return lookupIn(new Map(list.map((resource) => [keyOf(resource.id), resource])));
}

type Slice = Model<"EndpointSlice">;

function slicesByService(slices: readonly Slice[], before: Mesh["slicesOf"] | undefined): Mesh["slicesOf"] {
  const byService = new Map<string, Slice[]>();
  for (const slice of slices) {
    const key = serviceKey(slice);
    const known = byService.get(key);
    if (known === undefined) byService.set(key, [slice]);
    else known.push(slice);
  }
  const kept = new Map<string, readonly Slice[]>();
  for (const [key, list] of byService) {
    const known = before?.get(key);
    kept.set(key, known !== undefined && isSameList(known, list) ? known : list);
  }
  return lookupIn(kept);
}

function replacedSlices(before: Mesh, changes: readonly [string, Slice][]): Mesh["slicesOf"] {
  const lists = new Map<string, readonly Slice[]>();
  for (const [key, slice] of changes) {
    const known = before.EndpointSlice.get(key)!;
    const service = serviceKey(slice);
    // One that goes to another Service comes to stand among its slices where it is written.
    if (service !== serviceKey(known)) {
      return slicesByService(withReplaced(before.EndpointSlice, changes).values(), before.slicesOf);
    }
    const list = lists.get(service) ?? before.slicesOf.get(service)!;
    lists.set(
      service,
      list.map((each) => (each === known ? slice : each)),
    );
  }
  return withReplaced(before.slicesOf, lists);
}

function serviceKey({ id, serviceName }: Slice): string {
  return keyOf({ kind: "Service", namespace: id.namespace, name: serviceName });
}
