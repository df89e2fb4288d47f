// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { until } from "@msm/deploy";
import type { Scenario } from "../../runner/suite.ts";
import { freeTcpPorts, greeting, startTcpBackend } from "./backends.ts";
import { cluster, endpoints, plainTcpListener, separate } from "./entries.ts";
import { startEnvoy } from "./envoy.ts";
import { startLibraryServer } from "./library-server.ts";

/** The services for one type each, in the place of ADS. */
export function envoySeparate(variant: "sotw" | "delta"): Scenario {
  return {
    title: `Envoy (${variant}): LDS, CDS and EDS as services of their own carry TCP, and take a change and a removal`,
    run: async (context) => {
      const plane = await startLibraryServer(context);
      const [port, other] = (await freeTcpPorts(2)) as [number, number];
      const [first, second] = [
        await startTcpBackend(context, "first"),
        await startTcpBackend(context, "second"),
      ];
      const web = cluster("web", separate(variant));
      plane.publish(
        plainTcpListener("tcp", port, "web"),
        plainTcpListener("other", other, "web"),
        web,
        endpoints("web", first),
      );
      const envoy = await startEnvoy(context, { xds: plane.address, variant, isSeparate: true });
      await envoy.listens(port);
      await until("the first backend answered", async () => (await greeting(port)) === "first");
      plane.publish(plainTcpListener("tcp", port, "web"), web, endpoints("web", second));
      await until("the second backend answered", async () => (await greeting(port)) === "second");
      await until("the other listener was gone", async () => {
        return !(await envoy.admin("/listeners")).includes(`:${other}\n`);
      });
      context.note(`${plane.server.proxies.size} streams`);
    },
  };
}
