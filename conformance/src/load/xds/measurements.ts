// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authority } from "../../certificates.ts";
import { meshClusters } from "../../traffic/served-mesh.ts";
import { type Served, ServerUnderLoad } from "../../traffic/server-under-load.ts";
import { type SwarmOptions, XdsSwarm } from "../../traffic/xds-swarm.ts";
import { median } from "../statistics.ts";

/** Something that is measured of an xDS server, given the command that starts it. */
export interface Measurement {
  /** For `--scenario`. */
  readonly name: string;
  readonly scenario: string;
  readonly figures: readonly string[];
  /** What ours should be at the most, by figure. */
  readonly atMost: Readonly<Record<string, number>>;
  /** True where there is nothing to compare ours with. */
  readonly isOursAlone?: true;
  /** One round: the figures in their order. */
  measure(command: readonly string[]): Promise<readonly number[]>;
}

/** Changes that are made before it counts: both servers' compilers and allocators get warm. */
const WARM_UP = 3;
const CHANGES = 10;
/** Clients that come and go before memory is measured the first time. */
const FIRST = 100;

/** A change of 10 kB, one resource with 330 endpoints, to so many streams. */
export function pushToAll(count: number, variant: "sotw" | "delta"): Measurement {
  return {
    name: `push-${count}-${variant}`,
    scenario: `${count} ADS streams (${variant}), a change of 10 kB`,
    figures: [
      "acknowledged by all after, ms",
      "the slowest of ten, ms",
      "CPU per stream, µs",
      "memory per stream, kB",
    ],
    atMost: { "the slowest of ten, ms": 500, "memory per stream, kB": 50 },
    measure: async (command) => {
      const served = { clusters: 1, endpointsPerCluster: 330, changes: "all" } as const;
      return withServer(command, served, { count, variant }, async ({ server, swarm, idleBytes }) => {
        const times: number[] = [];
        for (let change = 0; change < WARM_UP; change++) await server.change(count);
        const startedCpuMs = server.cpuMs();
        for (let change = 0; change < CHANGES; change++) {
          swarm.mark();
          const startedMs = performance.now();
          await server.change(count);
          times.push(performance.now() - startedMs);
        }
        const cpuMs = (server.cpuMs() - startedCpuMs) / CHANGES;
        const bytes = (await server.memoryBytes()) - idleBytes;
        return [median(times), Math.max(...times), (cpuMs * 1000) / count, bytes / count / 1000];
      });
    },
  };
}

/** One endpoint of one cluster of ten, to so many streams that want all ten. */
export function oneEndpoint(count: number): Measurement {
  return {
    name: `endpoint-${count}`,
    scenario: `${count} ADS streams (delta), ten clusters of ten endpoints, one endpoint changes`,
    figures: ["median until a client has it, ms", "p99 until a client has it, ms"],
    atMost: { "p99 until a client has it, ms": 250 },
    measure: async (command) => {
      const served = { clusters: 10, endpointsPerCluster: 10, changes: "one" } as const;
      return withServer(command, served, { count, variant: "delta" }, async ({ server, swarm }) => {
        for (let change = 0; change < WARM_UP; change++) await server.change(count);
        const latencies: number[] = [];
        for (let change = 0; change < CHANGES; change++) {
          swarm.mark();
          const startedMs = performance.now();
          await server.change(count);
          await swarm.arrived();
          latencies.push(...swarm.latenciesMs(startedMs));
        }
        return [median(latencies), percentile(latencies, 0.99)];
      });
    },
  };
}

/** One endpoint among so many, to one stream that wants them all: what the server spends on a change as such. */
export function oneAmongMany(clusters: number, endpointsPerCluster: number): Measurement {
  return {
    name: `clusters-${clusters}`,
    scenario: `1 ADS stream (delta), ${clusters} clusters of ${endpointsPerCluster} endpoints, one endpoint changes`,
    figures: ["CPU per change, ms", "acknowledged after, ms"],
    atMost: { "CPU per change, ms": 5 },
    measure: async (command) => {
      const served = { clusters, endpointsPerCluster, changes: "one" } as const;
      return withServer(command, served, { count: 1, variant: "delta" }, ({ server }) =>
        costOfChanges(server),
      );
    },
  };
}

/** One endpoint of one EndpointSlice in a mesh: what all of the control plane spends, from its resources to the ACK. */
export function oneInMesh(routes: number, endpointsPerRoute: number): Measurement {
  return {
    name: `mesh-${routes}`,
    scenario: `1 ADS stream (delta), a mesh of ${routes} routes with ${endpointsPerRoute} endpoints each, one endpoint changes`,
    figures: ["CPU per change, ms", "acknowledged after, ms"],
    atMost: { "CPU per change, ms": 5 },
    isOursAlone: true,
    measure: async (command) => {
      const server = await ServerUnderLoad.start(command);
      const endpointNames = meshClusters(routes);
      const swarm = new XdsSwarm({ port: server.port, endpointNames, count: 1, variant: "delta" });
      try {
        await server.serveMesh(routes, endpointsPerRoute);
        await swarm.connect();
        return await costOfChanges(server);
      } finally {
        swarm.close();
        await server.kill();
      }
    },
  };
}

async function costOfChanges(server: ServerUnderLoad): Promise<readonly number[]> {
  const changes = 100;
  for (let change = 0; change < changes / 2; change++) await server.change(1);
  const startedCpuMs = server.cpuMs();
  const startedMs = performance.now();
  for (let change = 0; change < changes; change++) await server.change(1);
  return [(server.cpuMs() - startedCpuMs) / changes, (performance.now() - startedMs) / changes];
}

/** So many clients that connect over TLS in the same moment, as after a restart. */
export function arrivingAtOnce(count: number): Measurement {
  return {
    name: `storm-${count}`,
    scenario: `${count} clients connect over TLS at once`,
    figures: [
      "p99 until a client has its configuration, ms",
      "until all have it, ms",
      "errors seen by clients",
    ],
    atMost: { "errors seen by clients": 0 },
    measure: async (command) => {
      const folder = mkdtempSync(join(tmpdir(), "msm-bench-"));
      const authority = new Authority(folder);
      const tls = authority.issue("server", "DNS:localhost");
      const ca = readFileSync(authority.certificate, "utf8");
      const server = await ServerUnderLoad.start(command, { tls });
      const swarm = new XdsSwarm({
        port: server.port,
        count,
        variant: "delta",
        ca,
        endpointNames: ["cluster-0"],
      });
      try {
        await server.serve({ clusters: 1, endpointsPerCluster: 330, changes: "all" });
        const latencies = await swarm.connect();
        return [percentile(latencies, 0.99), latencies.at(-1)!, swarm.errors.length];
      } finally {
        swarm.close();
        await server.kill();
        rmSync(folder, { recursive: true });
      }
    },
  };
}

interface Running {
  readonly server: ServerUnderLoad;
  readonly swarm: XdsSwarm;
  /** What the server took up when it had no stream any more. */
  readonly idleBytes: number;
}

async function withServer<Result>(
  command: readonly string[],
  served: Served,
  clients: Pick<SwarmOptions, "count" | "variant">,
  use: (running: Running) => Promise<Result>,
): Promise<Result> {
  const server = await ServerUnderLoad.start(command);
  const endpointNames = Array.from({ length: served.clusters }, (_, index) => `cluster-${index}`);
  const swarm = new XdsSwarm({ port: server.port, endpointNames, ...clients });
  try {
    await server.serve(served);
    await warmUp(server, { port: server.port, endpointNames, variant: clients.variant });
    const idleBytes = await server.memoryBytes();
    await swarm.connect();
    return await use({ server, swarm, idleBytes });
  } finally {
    swarm.close();
    await server.kill();
  }
}

/** What the first clients cost once, code that is compiled above all, is not what one more of them costs. */
async function warmUp(server: ServerUnderLoad, options: Omit<SwarmOptions, "count">): Promise<void> {
  const first = new XdsSwarm({ ...options, count: FIRST });
  try {
    await first.connect();
    for (let change = 0; change < WARM_UP; change++) await server.change(FIRST);
  } finally {
    first.close();
  }
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.ceil(sorted.length * part) - 1]!;
}
