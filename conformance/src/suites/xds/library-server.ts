// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import {
  createSnapshot,
  createXdsServer,
  type ResourceEntry,
  type Snapshot,
  SnapshotCache,
  type XdsListener,
  type XdsServer,
} from "@msm/control-plane/xds";
import { until } from "@msm/deploy";
import type { ScenarioContext } from "../../runner/suite.ts";

const GROUP = "default";

/** An xDS server made with the library, whose one snapshot a scenario changes. */
export interface LibraryServer {
  readonly server: XdsServer;
  readonly address: string;
  /** Publishes resources. */
  publish(...entries: readonly ResourceEntry[]): Snapshot;
  /** What was published last. */
  published(): Snapshot;
  /** Resolves when a connected client took all of the newest snapshot's resources that it was sent. */
  settled(timeoutMs?: number): Promise<void>;
}

/** Starts such a server on a free port of the loopback. */
export async function startLibraryServer(
  context: ScenarioContext,
  listener: XdsListener = { address: "127.0.0.1:0" },
): Promise<LibraryServer> {
  const cache = new SnapshotCache();
  const server = await createXdsServer({ cache, listeners: [listener] });
  context.defer(() => server.close());
  return {
    server,
    address: server.addresses[0]!,
    publish: (...entries) => {
      const snapshot = createSnapshot(entries);
      cache.set(GROUP, snapshot);
      return snapshot;
    },
    published: () => cache.get(GROUP)!,
    settled: async (timeoutMs) => {
      const isDone = (): boolean => isSettled(server, cache.get(GROUP)!);
      await until("the client had taken the newest snapshot", isDone, timeoutMs);
    },
  };
}

function isSettled({ proxies }: XdsServer, snapshot: Snapshot): boolean {
  const connected = proxies.all();
  return connected.length > 0 && missing(connected, snapshot).length === 0;
}

/** The resources of a snapshot that no connected client has taken in this version. */
function missing(connected: ReturnType<XdsServer["proxies"]["all"]>, snapshot: Snapshot): readonly string[] {
  return [...snapshot.types].flatMap(([typeUrl, set]) =>
    [...set.values()].flatMap(({ name, version }) => {
      const isTaken = connected.some(
        ({ types }) => types.get(typeUrl)?.resources.get(name)?.taken === version,
      );
      return isTaken ? [] : [`${typeUrl} ${name}`];
    }),
  );
}
