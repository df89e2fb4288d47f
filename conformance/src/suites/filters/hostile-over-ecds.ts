// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { freeUdpPorts, until } from "@msm/deploy";
import { compileFolder } from "@msm/filter-sdk/testing";
import type { Scenario } from "../../runner/suite.ts";
import { Heartbeat } from "../../traffic/heartbeat.ts";
import { HostileSite } from "./hostile-site.ts";
import { loopingModule } from "./looping-module.ts";

/** The same relative path from `src` and from `dist`. */
const MODULE = fileURLToPath(new URL("../../../src/suites/filters/module/hostile", import.meta.url));
const ADDRESS = "127.0.0.1";

/** Fuel ends a loop after some ten milliseconds, in which its worker does nothing else; this is for a busy machine. */
const MAX_GAP_MS = 500;

/** What all the deeds together may leave behind: V8 gives pages back when it likes. */
const MAX_GROWTH_MIB = 96;

/** Metrics that one instance may define. */
const MAX_METRICS = 256;

/** What a filter does with its first datagrams, and the kinds of failure by which it may end. */
const DEEDS: Readonly<Record<string, readonly string[]>> = {
  loop: ["overrun"],
  "memory bomb": ["trap"],
  "trap in mid-batch": ["trap"],
  recursion: ["trap", "overrun"],
  "host-call flood": ["overrun"],
  "data before the slot": ["bad_output"],
  "data beyond the memory": ["bad_output"],
  "len beyond the datagram": ["bad_output"],
  "action that is none": ["bad_output"],
  "reason of the host's": ["bad_output"],
  "target that is none": ["bad_output"],
  "key of a session": ["unsupported_action"],
  "emitted beyond the room": ["bad_output"],
  "emitted with data elsewhere": ["bad_output"],
  "emitted with a session that is none": ["bad_output"],
  "emitted with a target that is none": ["bad_output"],
  "emitted with an action": ["bad_output"],
};

/** One proxy meets the worst filters one after the other, each pushed by ECDS, with sessions that count each datagram. */
export const hostileOverEcds: Scenario = {
  title:
    "hostile filters pushed by ECDS one after the other are bypassed, taken back or refused; no session loses a datagram",
  timeoutMs: 120_000,
  run: async (context) => {
    const { bytes } = await compileFolder(MODULE);
    const ports = (await freeUdpPorts(2, ADDRESS)) as [number, number];
    const site = await HostileSite.start(context, ports, { module: bytes, deed: "none" });
    const sessions = await Promise.all(ports.map((port) => Heartbeat.start(ADDRESS, port)));
    await Promise.all(sessions.map((session) => session.beats(50)));
    const before = site.residentMib();

    for (const [deed, kinds] of Object.entries(DEEDS)) {
      await suffer(site, ports[0], bytes, deed, kinds);
      site.push({ module: bytes, deed: "none" });
    }
    await tooManyMetrics(site, bytes);
    for (const [what, filter, code] of refusedFilters(bytes)) {
      site.push(filter);
      const error = await until(`${what} was refused`, () => site.refusal);
      assert.match(error, code, what);
      context.note(`${what}: ${error.slice(0, 120)}`);
      site.push({ module: bytes, deed: "none" });
      await until("the good filter was back", () => site.refusal === undefined);
    }

    await Promise.all(sessions.map((session) => session.beats(100)));
    const [filtered, plain] = sessions.map(({ longestGapMs }) => Math.round(longestGapMs)) as [
      number,
      number,
    ];
    const after = site.residentMib();
    context.note(`longest gap: ${filtered} ms behind the filters, ${plain} ms of the other session`);
    context.note(`memory of the proxy: ${before} MiB before, ${after} MiB after`);
    const lost = await Promise.all(sessions.map((session) => session.finish()));
    assert.deepEqual(lost, [0, 0], "datagrams lost by the session behind the filters, and by the other");
    assert.ok(plain < MAX_GAP_MS, `the other session waited for ${plain} ms`);
    if (before !== undefined && after !== undefined)
      assert.ok(after < before + MAX_GROWTH_MIB, "memory came back");
  },
};

/** Pushes a filter that starts well, lets a new session meet it, and sees that it fails as it should. */
async function suffer(
  site: HostileSite,
  port: number,
  module: Uint8Array,
  deed: string,
  kinds: readonly string[],
): Promise<void> {
  const count = async (): Promise<number> =>
    (await Promise.all(kinds.map((kind) => site.failures(kind)))).reduce((sum, value) => sum + value, 0);
  const known = await count();
  site.push({ module, deed });
  // Sessions that there were stay with the filter before for a while; new ones meet the new one at once.
  await until(`"${deed}" failed as ${kinds.join(" or ")}`, async () => {
    const probe = await Heartbeat.start(ADDRESS, port);
    await probe.beats(1);
    assert.equal(await probe.finish(), 0, `datagrams lost by a new session that met "${deed}"`);
    return (await count()) > known;
  });
  assert.ok(
    kinds.some((kind) => site.hasLogged(`(${kind})`)),
    `the log says why "${deed}" failed`,
  );
}

async function tooManyMetrics(site: HostileSite, module: Uint8Array): Promise<void> {
  site.push({ module, deed: "metrics" });
  const defined = await until("the filter with 10,000 metrics ran", async () => {
    const names = (await site.admin.text("/stats/prometheus")).matchAll(/^(envoy_flood_\d+)\{/gm);
    return new Set([...names].map(([, name]) => name)).size || undefined;
  });
  assert.ok(defined <= MAX_METRICS, `${defined} metrics of one filter`);
}

/** What must not get beyond the trial, with the code by which it is refused. */
function refusedFilters(module: Uint8Array) {
  const otherVersion = Buffer.from(module);
  const version = otherVersion.indexOf("msm_abi_version_0_1_0");
  assert.ok(version > 0, "the module says its version");
  otherVersion.write("msm_abi_version_9_9_9", version);
  const garbage = Uint8Array.from({ length: 5_000 }, (_, i) => (i * 7919) & 255);
  const none = "none";
  return [
    ["garbage", { module: garbage, deed: none }, /MSM_FILTER_NOT_WASM/],
    ["half a module", { module: module.subarray(0, module.length >> 1), deed: none }, /MSM_FILTER_NOT_WASM/],
    ["another ABI version", { module: otherVersion, deed: none }, /MSM_FILTER_ABI/],
    ["a start function that loops", { module: loopingModule(), deed: none }, /MSM_FILTER_START/],
    ["a configuration that loops", { module, deed: "loop when configured" }, /MSM_FILTER_(START|CONFIG)/],
    ["a filter that refuses its configuration", { module, deed: "refuse" }, /MSM_FILTER_CONFIG/],
  ] as const;
}
