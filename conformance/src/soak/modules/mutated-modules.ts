// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { compileFolder, rtp } from "@msm/filter-sdk/testing";
import {
  type CompiledFilter,
  compileFilter,
  FilterChain,
  MemoryBatch,
  MemoryEnvironment,
} from "@msm/proxy/wasm";
import type { SoakOptions } from "../soak.ts";

const FILTERS = ["rtp-stats", "firewall", "rate-limit"].map((name) =>
  fileURLToPath(new URL(`../../../../filters/${name}`, import.meta.url)),
);

const RUN_MS = 60_000;
const TELL_MS = 10_000;
const NOW_NS = 1e9;

/** The longest that a call may last, on a machine that has other work: fuel ends it after some milliseconds. */
const MAX_CALL_MS = 5_000;

/**
 * Damages real modules at random, byte by byte, and runs what still compiles: the host has to survive, with every
 * datagram either passed or dropped by its policy, and nothing thrown.
 */
export async function mutatedModules({ deadlineMs, tell }: SoakOptions): Promise<void> {
  const originals = await Promise.all(FILTERS.map(async (folder) => (await compileFolder(folder)).bytes));
  const random = generator(Date.now() & 0xffff);
  const endMs = deadlineMs < Number.POSITIVE_INFINITY ? deadlineMs : performance.now() + RUN_MS;
  let [tried, refused, failed, ran] = [0, 0, 0, 0];
  for (let nextMs = 0; performance.now() < endMs; tried++) {
    const module = await compileFilter(mutate(originals[tried % originals.length]!, random), "code").catch(
      () => null,
    );
    if (module === null) refused++;
    else if (runDamaged(module)) failed++;
    else ran++;
    if (performance.now() < nextMs) continue;
    nextMs = performance.now() + TELL_MS;
    tell(`${tried} damaged modules: ${refused} refused, ${failed} failed in a call, ${ran} ran`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  tell(`${tried} damaged modules in all: ${refused} refused, ${failed} failed in a call, ${ran} ran`);
  assert.ok(failed + ran > 0, "no damaged module got as far as to run");
}

/** Runs a module through a session's life. Returns whether it failed. */
function runDamaged(compiled: CompiledFilter): boolean {
  const env = new MemoryEnvironment();
  const startedAt = performance.now();
  const plan = {
    ...{ name: "damaged", rootId: "", vmId: "", ...compiled, failurePolicy: "FAIL_OPEN" as const },
    ...{ configuration: new TextEncoder().encode("{}"), vmConfiguration: new Uint8Array() },
  };
  const chain = FilterChain.create([plan], env);
  const addresses = { client: "192.0.2.1:1", endpoint: "192.0.2.2:2", local: "192.0.2.3:3" };
  chain.openSession({ index: 0, ...addresses, resumed: false });
  const batch = new MemoryBatch(16);
  batch.stage(Array.from({ length: 16 }, (_, i) => ({ payload: rtp({ sequenceNumber: i, payload: 100 }) })));
  chain.run(batch, 0, 16, false, NOW_NS);
  chain.tick(NOW_NS / 1e6 + 100);
  chain.releaseOutgoing();
  chain.closeSession(0);
  const ms = performance.now() - startedAt;
  assert.ok(ms < MAX_CALL_MS, `a damaged module held the host for ${Math.round(ms)} ms`);
  return chain.failed.length > 0;
}

function mutate(original: Uint8Array, random: () => number): Uint8Array {
  // A copy: `slice` of a Buffer would be the original itself.
  const bytes = new Uint8Array(original);
  const changes = 1 + Math.floor(random() * 4);
  for (let i = 0; i < changes; i++) {
    const at = 8 + Math.floor(random() * (bytes.length - 8));
    bytes[at] = random() < 0.5 ? bytes[at]! ^ (1 << Math.floor(random() * 8)) : Math.floor(random() * 256);
  }
  return bytes;
}

/** Park and Miller. */
function generator(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
}
