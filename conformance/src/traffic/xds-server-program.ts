// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// A program: an xDS server made with the library, driven as `ServerUnderLoad` says.
// `node xds-server-program.js PORT [CERTIFICATE KEY]`

import "@msm/control-plane/keep-young-heap-small";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  createEntry,
  createSnapshot,
  createXdsServer,
  type ResourceEntry,
  type Snapshot,
  SnapshotCache,
  type StreamObserver,
  updateSnapshot,
} from "@msm/control-plane/xds";
import { create, durationFromMs, typeUrls } from "@msm/xds-protos";
import { Cluster_DiscoveryType, ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ApiVersion } from "@msm/xds-protos/envoy/config/core/v3/config_source_pb.js";
import { ClusterLoadAssignmentSchema } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { ServedMesh, servedGroup } from "./served-mesh.ts";
import type { Served } from "./server-under-load.ts";

/** Counts what clients accept of the endpoints, and says when enough have. */
class Acknowledgements implements StreamObserver {
  #left = 0;
  #done = (): void => {};

  wait(count: number): Promise<void> {
    this.#left = count;
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  accepted(_stream: unknown, typeUrl: string): void {
    if (typeUrl === typeUrls.clusterLoadAssignment && --this.#left === 0) this.#done();
  }

  opened(): void {}
  sent(): void {}
  refused(): void {}
  stalled(): void {}
  closed(): void {}
}

async function main(): Promise<void> {
  const [port = "0", certificate, privateKey] = process.argv.slice(2);
  const cache = new SnapshotCache();
  let mesh: ServedMesh | undefined;
  const acknowledgements = new Acknowledgements();
  const tls =
    certificate === undefined || privateKey === undefined ? {} : { tls: { certificate, privateKey } };
  const server = await createXdsServer({
    cache,
    listeners: [{ address: `127.0.0.1:${port}`, ...tls }],
    observers: [acknowledgements],
    groupOf: () => (mesh === undefined ? "default" : servedGroup),
  });
  console.log(JSON.stringify({ port: Number(server.addresses[0]!.split(":").at(-1)) }));
  let served: Served = { clusters: 0, endpointsPerCluster: 0, changes: "one" };
  let snapshot: Snapshot = createSnapshot([]);
  let changes = 0;
  const publish = (next: Snapshot): void => {
    snapshot = next;
    cache.set("default", next);
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, ...words] = line.split(" ");
    if (command === "serve") {
      const [clusters, endpointsPerCluster] = words.map(Number) as [number, number];
      served = { clusters, endpointsPerCluster, changes: words[2] as Served["changes"] };
      publish(createSnapshot(allOf(served)));
    } else if (command === "mesh") {
      const [routes, endpointsPerRoute] = words.map(Number) as [number, number];
      mesh = new ServedMesh(cache, routes, endpointsPerRoute);
    } else if (command === "change") {
      const isTaken = acknowledgements.wait(Number(words[0]));
      if (mesh !== undefined) mesh.change();
      else publish(updateSnapshot(snapshot, [assignment(served, 0, ++changes)]));
      await isTaken;
    } else if (command === "collect") {
      await collectGarbage();
    }
    console.log("{}");
  }
  process.exit(0);
}

function allOf(served: Served): readonly ResourceEntry[] {
  const indices = Array.from({ length: served.clusters }, (_, index) => index);
  return indices.flatMap((index) => [cluster(`cluster-${index}`), assignment(served, index, 0)]);
}

function cluster(name: string): ResourceEntry {
  const source = {
    resourceApiVersion: ApiVersion.V3,
    configSourceSpecifier: { case: "ads", value: {} },
  } as const;
  const message = create(ClusterSchema, {
    name,
    connectTimeout: durationFromMs(1000),
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: source },
  });
  return createEntry(ClusterSchema, name, message);
}

function assignment({ endpointsPerCluster, changes }: Served, index: number, change: number): ResourceEntry {
  const name = `cluster-${index}`;
  const lbEndpoints = Array.from({ length: endpointsPerCluster }, (_, each) => {
    const portValue = 10_000 + (each === 0 || changes === "all" ? change : 0);
    const socketAddress = {
      address: `10.0.${each >> 8}.${each & 255}`,
      portSpecifier: { case: "portValue", value: portValue },
    } as const;
    const address = { address: { case: "socketAddress", value: socketAddress } } as const;
    return { hostIdentifier: { case: "endpoint", value: { address } } } as const;
  });
  const message = create(ClusterLoadAssignmentSchema, { clusterName: name, endpoints: [{ lbEndpoints }] });
  return createEntry(ClusterLoadAssignmentSchema, name, message);
}

async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // The memory of buffers is given back by another thread, in its own time.
  for (let round = 0; round < 3; round++) {
    collect();
    await delay(50);
  }
}

await main();
