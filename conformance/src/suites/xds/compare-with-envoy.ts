// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { credentials, Metadata } from "@grpc/grpc-js";
import {
  AnySchema,
  create,
  createClient,
  fromBinary,
  fromJson,
  type JsonValue,
  registry,
  toJson,
  typeUrls,
} from "@msm/xds-protos";
import {
  type ClientConfig,
  ClientStatusDiscoveryService,
  ClientStatusRequestSchema,
  type ClientStatusResponse,
  ConfigStatus,
} from "@msm/xds-protos/envoy/service/status/v3/csds_pb.js";
import type { Envoy } from "./envoy.ts";
import type { LibraryServer } from "./library-server.ts";

/** Types whose resources stand in Envoy's config_dump as they were sent. */
const DUMPED: readonly string[] = [
  typeUrls.listener,
  typeUrls.cluster,
  typeUrls.routeConfiguration,
  typeUrls.typedExtensionConfig,
];

/**
 * Compares what CSDS says of the one connected Envoy with what was published and with what that Envoy says itself: it
 * has to be the same resources in the same versions, each SYNCED, and Envoy has to have them with the same content; of
 * endpoints, which it writes anew, the same ports, and of secrets, which it hides, the name. Returns a line for a person.
 */
export async function compareWithEnvoy(plane: LibraryServer, envoy: Envoy): Promise<string> {
  const [config, ...others] = await fetchStatus(plane.address);
  assert.equal(others.length, 0, "CSDS tells of more than one client");
  const resources = config!.genericXdsConfigs;
  const unsettled = resources.filter(({ configStatus }) => configStatus !== ConfigStatus.SYNCED);
  assert.deepEqual(
    unsettled.map(({ typeUrl, name, configStatus }) => `${typeUrl} ${name} ${ConfigStatus[configStatus]}`),
    [],
  );
  const published = [...plane.published().types.values()].flatMap((set) => [...set.values()]);
  assert.deepEqual(
    resources.map(({ typeUrl, name, versionInfo }) => `${typeUrl} ${name} ${versionInfo}`).sort(),
    published.map(({ typeUrl, name, version }) => `${typeUrl} ${name} ${version}`).sort(),
  );
  const dump = await envoy.admin("/config_dump?include_eds");
  const found = resourcesIn(JSON.parse(dump));
  for (const { typeUrl, name, anyBytes } of published) {
    const sent = toJson(AnySchema, fromBinary(AnySchema, anyBytes), { registry });
    const theirs = found.get(`${typeUrl} ${name}`);
    if (DUMPED.includes(typeUrl)) assert.deepEqual(normal(theirs), sent);
    else if (typeUrl === typeUrls.clusterLoadAssignment) assert.deepEqual(portsIn(theirs), portsIn(sent));
    else assert.ok(dump.includes(`"${name}"`), `Envoy's config_dump does not know ${typeUrl} ${name}`);
  }
  return `CSDS: ${resources.length} resources SYNCED as they were published, and in Envoy's config_dump`;
}

/** The resources anywhere in a config_dump, by type URL and name. */
function resourcesIn(dump: unknown, found = new Map<string, JsonValue>()): ReadonlyMap<string, JsonValue> {
  if (typeof dump !== "object" || dump === null) return found;
  const { "@type": typeUrl, name, cluster_name } = dump as Readonly<Record<string, JsonValue>>;
  if (typeof typeUrl === "string") found.set(`${typeUrl} ${name ?? cluster_name}`, dump as JsonValue);
  for (const part of Object.values(dump)) resourcesIn(part, found);
  return found;
}

/** The same JSON in the names that we write. */
function normal(resource: JsonValue | undefined): JsonValue | undefined {
  return resource && toJson(AnySchema, fromJson(AnySchema, resource, { registry }), { registry });
}

function portsIn(assignment: JsonValue | undefined): readonly string[] {
  return [...JSON.stringify(assignment ?? "").matchAll(/"port_?[vV]alue":(\d+)/g)].map(([, port]) => port!);
}

/** What CSDS says of every connected client. */
export async function fetchStatus(address: string): Promise<readonly ClientConfig[]> {
  const client = createClient(ClientStatusDiscoveryService, address, credentials.createInsecure());
  try {
    const response = await new Promise<ClientStatusResponse>((resolve, reject) => {
      const request = create(ClientStatusRequestSchema);
      client.fetchClientStatus(request, new Metadata(), {}, (error, answer) =>
        error === null ? resolve(answer!) : reject(error),
      );
    });
    return response.config;
  } finally {
    client.close();
  }
}
