// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { setTimeout as delay } from "node:timers/promises";
import { until } from "@msm/deploy";
import type { Scenario } from "../../runner/suite.ts";
import { freeTcpPorts, greeting, startTcpBackend } from "./backends.ts";
import { cluster, endpoints, plainTcpListener } from "./entries.ts";
import { startEnvoy } from "./envoy.ts";
import { startLibraryServer } from "./library-server.ts";

const TTL_MS = 2000;

/** Envoys' own features lack these two; by naming them a client says that it wants resources that expire. */
const clientFeatures = ["xds.config.supports-resource-ttl", "xds.config.supports-resource-in-sotw"];

/** Heartbeats keep a resource alive; without a server it is gone after its time. */
export function envoyTtl(variant: "sotw" | "delta"): Scenario {
  return {
    title: `85: Envoy (${variant}): heartbeats keep a listener that expires; it is dropped in time when the server is gone`,
    run: async (context) => {
      const plane = await startLibraryServer(context);
      const [port] = (await freeTcpPorts(1)) as [number];
      const backend = await startTcpBackend(context, "alive");
      plane.publish(plainTcpListener("tcp", port, "web", TTL_MS), cluster("web"), endpoints("web", backend));
      const node = { client_features: clientFeatures };
      const envoy = await startEnvoy(context, { xds: plane.address, variant, node });
      await envoy.listens(port);
      const end = performance.now() + 2.5 * TTL_MS;
      while (performance.now() < end) {
        if ((await greeting(port)) !== "alive") throw new Error("another backend answered");
        await delay(50);
      }
      const gone = performance.now();
      await plane.server.close();
      await until("the listener expired", async () => {
        return !(await envoy.admin("/listeners")).includes(`:${port}\n`);
      });
      context.note(
        `served for ${2.5 * TTL_MS} ms, gone ${Math.round(performance.now() - gone)} ms after the server`,
      );
    },
  };
}
