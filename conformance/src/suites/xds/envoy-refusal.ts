// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { freeUdpPorts, until } from "@msm/deploy";
import { meshYaml } from "../../mesh-yaml.ts";
import type { Scenario } from "../../runner/suite.ts";
import { EchoEndpoint } from "../../traffic/echo-endpoint.ts";
import { Heartbeat } from "../../traffic/heartbeat.ts";
import { startPlane } from "./control-plane.ts";
import { startEnvoy } from "./envoy.ts";

interface Resources {
  readonly resources: readonly {
    readonly kind: string;
    readonly name: string;
    readonly conditions: readonly {
      readonly type: string;
      readonly status: string;
      readonly message: string;
    }[];
  }[];
}

/** An address that no machine has (RFC 5737), so that Envoy cannot bind it. */
const NOWHERE = "203.0.113.1";

/** What Envoy refuses is reported on the user's resource, and what is good beside it serves. */
export function envoyRefusal(variant: "sotw" | "delta"): Scenario {
  return {
    title: `Envoy (${variant}): a listener that it refuses is reported with its reason, the good one beside it serves`,
    run: async (context) => {
      const endpoint = await EchoEndpoint.start("127.0.0.1", 1);
      context.defer(() => endpoint.close());
      const [port] = (await freeUdpPorts(1)) as [number];
      const endpoints = [endpoint];
      const good = meshYaml({ address: "127.0.0.1", listeners: [{ name: "good", port, endpoints }] });
      // The same names again would be the same resources.
      const bad = meshYaml({ address: NOWHERE, listeners: [{ name: "bad", port, endpoints }] })
        .split("---\n")
        .filter((text) => !text.includes("GatewayClass\n"))
        .join("---\n")
        .replaceAll("name: edge", "name: nowhere");
      const { plane, json } = await startPlane(context, `${good}---\n${bad}`);
      const envoy = await startEnvoy(context, { xds: plane.xdsAddress, variant, nodeId: "edge-7" });
      await envoy.listens(port);
      (await Heartbeat.start("127.0.0.1", port)).close();
      const message = await until("the refusal stood at the Gateway", async () => {
        const { resources } = (await json("/debug/resources")) as Resources;
        const gateway = resources.find(({ kind, name }) => kind === "Gateway" && name === "nowhere");
        const condition = gateway?.conditions.find(({ type }) => type === "Programmed");
        return condition?.status === "False" && condition.message;
      });
      if (!message.startsWith("edge-7: ") || !message.includes(NOWHERE)) throw new Error(message);
      context.note(message);
      await until("the good Gateway was programmed", async () => {
        const { resources } = (await json("/debug/resources")) as Resources;
        const gateway = resources.find(({ kind, name }) => kind === "Gateway" && name === "edge");
        return gateway?.conditions.find(({ type }) => type === "Programmed")?.status === "True";
      });
    },
  };
}
