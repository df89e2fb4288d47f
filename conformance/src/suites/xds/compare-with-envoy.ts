// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { credentials, Metadata } from "@grpc/grpc-js";
import { create, createClient } from "@msm/xds-protos";
import {
  type ClientConfig,
  ClientStatusDiscoveryService,
  ClientStatusRequestSchema,
  type ClientStatusResponse,
  ConfigStatus,
} from "@msm/xds-protos/envoy/service/status/v3/csds_pb.js";
import type { Envoy } from "./envoy.ts";
import type { LibraryServer } from "./library-server.ts";

/**
 * Compares what CSDS says of the one connected Envoy with what that says itself: every resource has to be SYNCED, and
 * its name in Envoy's config_dump. Returns a line for a person.
 */
export async function compareWithEnvoy({ address }: LibraryServer, envoy: Envoy): Promise<string> {
  const [config, ...others] = await fetchStatus(address);
  assert.equal(others.length, 0, "CSDS tells of more than one client");
  const resources = config!.genericXdsConfigs;
  const unsettled = resources.filter(({ configStatus }) => configStatus !== ConfigStatus.SYNCED);
  assert.deepEqual(
    unsettled.map(({ typeUrl, name, configStatus }) => `${typeUrl} ${name} ${ConfigStatus[configStatus]}`),
    [],
  );
  const dump = await envoy.admin("/config_dump?include_eds");
  for (const { typeUrl, name } of resources) {
    assert.ok(dump.includes(`"${name}"`), `Envoy's config_dump does not know ${typeUrl} ${name}`);
  }
  return `CSDS: ${resources.length} resources SYNCED, all in Envoy's config_dump`;
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
