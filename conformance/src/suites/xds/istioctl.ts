// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { credentials } from "@grpc/grpc-js";
import { until } from "@msm/deploy";
import { type Any, create, createClient, fromBinary } from "@msm/xds-protos";
import { AggregatedDiscoveryService } from "@msm/xds-protos/envoy/service/discovery/v3/ads_pb.js";
import {
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { ClientConfigSchema, ConfigStatus } from "@msm/xds-protos/envoy/service/status/v3/csds_pb.js";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { startEchoMesh } from "../../traffic/echo-mesh.ts";

/** The sections of a config_dump that `istioctl proxy-config` looks for, by what is asked of it. */
const SECTIONS = {
  bootstrap: "BootstrapConfigDump",
  clusters: "ClustersConfigDump",
  listeners: "ListenersConfigDump",
  endpoints: "EndpointsConfigDump",
} as const;

/** What Istio's tool asks of a control plane and of a proxy; where the tool is there it asks itself, too. */
export const istioctl: Scenario = {
  title:
    "istioctl's questions: proxy-status and internal-debug to the control plane, proxy-config to the proxy",
  run: async (context) => {
    const { mesh } = await startEchoMesh(context);
    const nodes = await until("every type was in sync", async () =>
      inSync(await ask(mesh.xds, "istio.io/debug/syncz")),
    );
    const [node] = nodes as [string, ...string[]];
    const debug = await ask(mesh.xds, "istio.io/debug", "syncz");
    assert.ok(
      Buffer.from(debug.resources[0]!.value).toString().includes(node),
      "internal-debug knows the proxy",
    );
    const served = await ask(mesh.xds, "istio.io/debug/config_dump", node);
    assert.ok(served.resources.some(({ typeUrl }) => typeUrl.endsWith(".ListenersConfigDump")));
    const { Component } = JSON.parse(served.controlPlane?.identifier ?? "{}") as {
      readonly Component?: string;
    };
    assert.equal(Component, "msm-control-plane");

    const dump = await mesh.admin.text("/config_dump?include_eds=true");
    const { configs } = JSON.parse(dump) as { readonly configs: readonly { readonly "@type": string }[] };
    for (const section of Object.values(SECTIONS)) {
      assert.ok(
        configs.some((config) => config["@type"].endsWith(`.${section}`)),
        `config_dump lacks ${section}`,
      );
    }
    JSON.parse(await mesh.admin.text("/clusters?format=json"));
    const path = join(context.folder, "config_dump.json");
    writeFileSync(path, dump);
    context.note(askWithTool(context, mesh.xds, node, path));
  },
};

/** Sends one question as a state-of-the-world request on a stream of its own. */
async function ask(
  address: string,
  typeUrl: string,
  ...names: readonly string[]
): Promise<DiscoveryResponse> {
  const client = createClient(AggregatedDiscoveryService, address, credentials.createInsecure());
  try {
    const call = client.streamAggregatedResources();
    const node = { id: "sidecar~1.1.1.1~test-1.default~default.svc.cluster.local" };
    // Istio's client puts the time where a nonce belongs.
    const responseNonce = new Date().toISOString();
    call.write(create(DiscoveryRequestSchema, { typeUrl, resourceNames: [...names], node, responseNonce }));
    for await (const response of call) return response as DiscoveryResponse;
    throw new Error(`${typeUrl} was not answered`);
  } finally {
    client.close();
  }
}

/** The names of the proxies, once each has everything that it was sent; undefined before. */
function inSync({ resources }: DiscoveryResponse): readonly string[] | undefined {
  const configs = resources.map(({ value }: Any) => fromBinary(ClientConfigSchema, value));
  const types = configs.flatMap(({ genericXdsConfigs }) => genericXdsConfigs);
  const isSynced = types.every(({ configStatus }) => configStatus === ConfigStatus.SYNCED);
  return types.length > 0 && isSynced ? configs.map(({ node }) => node?.id ?? "") : undefined;
}

/** Asks with the tool itself if it is there; returns a line for a person. */
function askWithTool(context: ScenarioContext, xds: string, node: string, dump: string): string {
  const run = (...args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync("istioctl", args, { encoding: "utf8", timeout: 40_000 });
    writeFileSync(join(context.folder, "istioctl.log"), `$ istioctl ${args.join(" ")}\n${stdout}${stderr}`, {
      flag: "a",
    });
    assert.equal(status, 0, `istioctl ${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  if (spawnSync("istioctl", ["version", "--remote=false"]).status !== 0) {
    return "istioctl is not in the PATH: its calls were made without it";
  }
  // Without a revision the tool looks for one in Kubernetes.
  const there = ["--xds-address", xds, "--plaintext", "--revision", "default"];
  const status = run("proxy-status", ...there);
  assert.ok(status.includes(node), `proxy-status does not list ${node}:\n${status}`);
  assert.ok(run("experimental", "internal-debug", "syncz", ...there).includes(node));
  for (const what of Object.keys(SECTIONS)) run("proxy-config", what, "--file", dump);
  return `istioctl itself: proxy-status lists ${node}, proxy-config reads ${Object.keys(SECTIONS).join(", ")}`;
}
