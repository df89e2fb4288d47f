// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { fileURLToPath } from "node:url";
import type { ScenarioContext } from "../../runner/suite.ts";
import { ServerUnderLoad } from "../../traffic/server-under-load.ts";
import { type SwarmOptions, XdsSwarm } from "../../traffic/xds-swarm.ts";

/** So many proxies as one control plane is made for. */
export const SWARM = 2000;

/** A response of about 30 kB. */
export const SERVED = { clusters: 1, endpointsPerCluster: 1000, changes: "all" } as const;

const program = fileURLToPath(new URL("../../traffic/xds-server-program.js", import.meta.url));

/** Starts our server in a process of its own, at this port if given, and lets it serve. */
export async function startServer(
  context: ScenarioContext,
  options: Parameters<typeof ServerUnderLoad.start>[1] = {},
): Promise<ServerUnderLoad> {
  const server = await ServerUnderLoad.start([process.execPath, program], options);
  context.defer(() => server.kill());
  await server.serve(SERVED);
  return server;
}

/** Connects the swarm; resolves when each client has its configuration. Gives milliseconds until then, sorted. */
export async function connectSwarm(
  context: ScenarioContext,
  options: Pick<SwarmOptions, "port" | "ca">,
): Promise<{ readonly swarm: XdsSwarm; readonly latenciesMs: readonly number[] }> {
  const swarm = new XdsSwarm({ ...options, count: SWARM, variant: "delta", endpointNames: ["cluster-0"] });
  context.defer(() => swarm.close());
  return { swarm, latenciesMs: await swarm.connect() };
}
