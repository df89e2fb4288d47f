// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "@msm/deploy";
import type { Scenario } from "../../runner/suite.ts";
import { startGrpcBackend } from "./backends.ts";
import { fetchStatus } from "./compare-with-envoy.ts";
import { cluster, endpoints, grpcListener, route } from "./entries.ts";
import { startLibraryServer } from "./library-server.ts";

const TARGET = "echo.msm";

/** A gRPC library whose channels find their servers by xDS. */
export interface GrpcClient {
  readonly name: string;
  /** The command before the script. */
  readonly command: string;
  /** In `conformance/peers`: calls once every 50 ms and prints each answer, or `error` and the reason. */
  readonly script: string;
}

/** A channel `xds:///echo.msm`: both backends in turn, then one, then another cluster, then none. */
export function grpcClient({ name, command, script }: GrpcClient): Scenario {
  return {
    title: `${name}: LDS, RDS, CDS and EDS lead its calls; EDS and RDS move them without an error; no listener ends them`,
    run: async (context) => {
      const plane = await startLibraryServer(context);
      const ports = await Promise.all(["a", "b", "c"].map((backend) => startGrpcBackend(context, backend)));
      const resources = (toCluster: string, ...oldPorts: readonly number[]) => [
        grpcListener(TARGET, "echo-route"),
        route("echo-route", toCluster),
        cluster("old"),
        cluster("new"),
        endpoints("old", ...oldPorts),
        endpoints("new", ports[2]!),
      ];
      plane.publish(...resources("old", ports[0]!, ports[1]!));
      const bootstrap = join(context.folder, "bootstrap.json");
      const server = {
        server_uri: plane.address,
        channel_creds: [{ type: "insecure" }],
        server_features: ["xds_v3"],
      };
      // Without a locality one of the clients does not start.
      const node = { id: `conformance-${script}`, locality: {} };
      writeFileSync(bootstrap, JSON.stringify({ xds_servers: [server], node }));
      const path = fileURLToPath(new URL(`../../../peers/${script}`, import.meta.url));
      const peer = context.startPeer({
        name: script,
        command,
        args: [path, bootstrap, `xds:///${TARGET}`],
        timeoutMs: 50_000,
        folder: context.folder,
      });
      const recent = (count: number): readonly string[] => {
        if (peer.isOver) throw new Error("the client ended");
        return peer.stdout.trimEnd().split("\n").slice(-count);
      };
      const answered = (what: string, ...names: readonly string[]) =>
        until(
          what,
          () => new Set(recent(10)).size === names.length && names.every((each) => recent(10).includes(each)),
          20_000,
        );
      await answered("both backends answered", "a", "b");
      plane.publish(...resources("old", ports[1]!));
      await answered("EDS moved all calls to the second", "b");
      plane.publish(...resources("new", ports[1]!));
      await answered("RDS moved all calls to the other cluster", "c");
      const errors = peer.stdout.split("\n").filter((line) => line.startsWith("error"));
      if (errors.length > 0) throw new Error(`calls failed: ${errors.slice(0, 3).join("; ")}`);
      await plane.settled().catch(() => undefined);
      const [status] = await fetchStatus(plane.address);
      context.note(`CSDS: ${status!.genericXdsConfigs.map((config) => config.name).join(", ")}`);
      plane.publish();
      await until("calls failed for want of a listener", () => recent(1)[0]!.startsWith("error"));
    },
  };
}
