// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freeUdpPorts, ProxyAdmin, until } from "@msm/deploy";
import { startProxy } from "@msm/proxy";
import type { Scenario, ScenarioContext, Suite } from "../../runner/suite.ts";
import { EchoEndpoint } from "../../traffic/echo-endpoint.ts";
import { envoyNeed } from "../xds/envoy.ts";
import { askEndpoints } from "./ask-endpoint.ts";
import { type BalancedListener, balancingBootstrap } from "./bootstrap.ts";
import { comparableLines } from "./same-listing.ts";

const ENDPOINTS = 10;
const CLIENTS = 250;
const WEIGHTS = [1, 2, 3, 4, 5];
/** 20 rounds over the weights of all endpoints: Envoy takes 1,024 sessions in a cluster unless told otherwise. */
const WEIGHTED_CLIENTS = 30 * 20;

const hashed = { MAGLEV: {}, RING_HASH: { ring_hash_lb_config: { minimum_ring_size: 8192 } } };

const sameEndpoint: Scenario = {
  title: `${CLIENTS} clients get the same of ${ENDPOINTS} weighted endpoints from Envoy and from our proxy, by MAGLEV and by RING_HASH`,
  run: async (context) => {
    const names = Object.keys(hashed) as (keyof typeof hashed)[];
    const listeners = names.map((name) => ({
      ...{ name, weights: WEIGHTS, cluster: { lb_policy: name, ...hashed[name] } },
    }));
    const { envoy, ours } = await startBoth(context, listeners);
    const sources = Array.from({ length: CLIENTS }, (_, index) => `127.0.1.${index + 1}`);
    for (const [index, name] of names.entries()) {
      const theirs = await askEndpoints(sources, envoy[index]!);
      const own = await askEndpoints(sources, ours[index]!);
      const same = own.filter((endpoint, client) => endpoint === theirs[client]).length;
      context.note(
        `${name}: ${same} of ${CLIENTS} clients at the same endpoint, ${new Set(own).size} endpoints used`,
      );
      assert.deepEqual(own, theirs);
    }
  },
};

const sameShares: Scenario = {
  title: `${WEIGHTED_CLIENTS} clients are spread by weights in turn by Envoy and by our proxy, each endpoint within 2 % of all`,
  run: async (context) => {
    const cluster = { lb_policy: "ROUND_ROBIN" };
    const { envoy, ours } = await startBoth(context, [{ name: "turns", weights: WEIGHTS, cluster }]);
    const sources = new Array<string>(WEIGHTED_CLIENTS).fill("127.0.0.1");
    const sum = (ENDPOINTS / WEIGHTS.length) * WEIGHTS.reduce((total, weight) => total + weight, 0);
    for (const [who, port] of [
      ["Envoy", envoy[0]!],
      ["ours", ours[0]!],
    ] as const) {
      const answers = await askEndpoints(sources, port);
      const shares = Array.from(
        { length: ENDPOINTS },
        (_, index) => answers.filter((endpoint) => endpoint === index + 1).length / answers.length,
      );
      const worst = Math.max(
        ...shares.map((share, index) => Math.abs(share - WEIGHTS[index % WEIGHTS.length]! / sum)),
      );
      context.note(
        `${who}: the share of an endpoint is at most ${(worst * 100).toFixed(2)} % of all beside its weight`,
      );
      assert.ok(worst <= 0.02);
    }
  },
};

const sameListing: Scenario = {
  title: "`/clusters` has the same lines, in text and in JSON, as that of Envoy",
  run: async (context) => {
    const outlier_detection = { split_external_local_origin_errors: true };
    const cluster = { lb_policy: "RANDOM", outlier_detection };
    const { admins } = await startBoth(context, [{ name: "listed", weights: WEIGHTS, cluster }]);
    const [theirs, own] = await Promise.all(admins.map((admin) => admin.text("/clusters")));
    assert.deepEqual(comparableLines(own!), comparableLines(theirs!));
    const json = admins.map(async (admin) => fieldsOf(JSON.parse(await admin.text("/clusters?format=json"))));
    const [theirFields, ownFields] = await Promise.all(json);
    assert.deepEqual(ownFields, theirFields);
    context.note(`${comparableLines(own!).length} lines, ${ownFields!.length} fields`);
  },
};

/** The names of all fields in JSON, and of what is counted. */
function fieldsOf(value: unknown): readonly string[] {
  const names = new Set<string>();
  const visit = (inner: unknown): void => {
    if (typeof inner !== "object" || inner === null) return;
    for (const [name, field] of Object.entries(inner)) {
      if (!Array.isArray(inner)) names.add(name);
      if (name === "name") names.add(String(field));
      visit(field);
    }
  };
  visit(value);
  return [...names].sort();
}

/** Starts Envoy and our proxy with the same configuration but for the ports, which are returned. */
async function startBoth(context: ScenarioContext, listeners: readonly Omit<BalancedListener, "port">[]) {
  const endpoints: number[] = [];
  for (let number = 1; number <= ENDPOINTS; number++) {
    const endpoint = await EchoEndpoint.start("127.0.0.1", number);
    context.defer(() => endpoint.close());
    endpoints.push(endpoint.port);
  }
  const ports = await freeUdpPorts(2 * listeners.length);
  const envoy = ports.slice(0, listeners.length);
  const ours = ports.slice(listeners.length);
  const bootstrapAt = (own: readonly number[]) =>
    balancingBootstrap(
      listeners.map((listener, index) => ({ ...listener, port: own[index]! })),
      endpoints,
    );
  const path = join(context.folder, "envoy.json");
  const adminPath = join(context.folder, "envoy.admin");
  writeFileSync(path, JSON.stringify(bootstrapAt(envoy), null, 2));
  context.startPeer({
    name: "envoy",
    command: envoyNeed.find[0],
    // One worker, as one of ours: each begins its round robin by itself.
    args: [
      ...["-c", path, "--admin-address-path", adminPath, "--concurrency", "1"],
      ...["--disable-hot-restart", "--log-level", "warning"],
    ],
    timeoutMs: 60_000,
    folder: context.folder,
  });
  const proxy = await startProxy({ bootstrap: bootstrapAt(ours), concurrency: 1 });
  context.defer(() => proxy.close());
  const { adminAddress: ownAdmin } = proxy;
  const address = await until("Envoy's admin listened", () => {
    return existsSync(adminPath) ? readFileSync(adminPath, "utf8").trim() : "";
  });
  const admins = [
    new ProxyAdmin(address as `${string}:${number}`),
    new ProxyAdmin(`${ownAdmin.address}:${ownAdmin.port}`),
  ];
  return { envoy, ours, admins };
}

/** Whether our proxy chooses as Envoy does, in the same run. */
export const suite: Suite = {
  title: "the same choices as Envoy",
  needs: [envoyNeed],
  scenarios: [sameEndpoint, sameShares, sameListing],
};
