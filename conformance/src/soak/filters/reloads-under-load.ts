// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { compileFolder, rtp } from "@msm/filter-sdk/testing";
import {
  compileFilter,
  FilterChain,
  MemoryBatch,
  MemoryEnvironment,
  type RunnableFilter,
} from "@msm/proxy/wasm";
import type { SoakOptions } from "../soak.ts";

const FILTER = fileURLToPath(new URL("../../../../filters/rtp-stats", import.meta.url));

const RELOADS = 10_000;
const SESSIONS = 200;
const BATCH = 64;
const MS_PER_RELOAD = 5;
const NS_PER_MS = 1e6;

/** Reloads until memory is looked at again. */
const SAMPLE_EVERY = 500;

/** What V8 and the allocator may keep in all, however long it runs. */
const MAX_GROWTH_MIB = 64;

/**
 * Exchanges a filter's configuration while sessions come and go and their datagrams pass, on a clock that runs as fast
 * as it can: each datagram has to come out, and memory has to stay.
 */
export async function reloadsUnderLoad({ deadlineMs, tell }: SoakOptions): Promise<void> {
  const { bytes } = await compileFolder(FILTER);
  const { module, digest } = await compileFilter(bytes, "filter");
  const plan = (generation: number): RunnableFilter => ({
    name: "rtp-stats",
    rootId: "",
    vmId: "",
    module,
    digest,
    configuration: new TextEncoder().encode(`{"clockRates": {"${96 + (generation % 2)}": 90000}}`),
    vmConfiguration: new Uint8Array(),
    failurePolicy: "FAIL_CLOSED",
  });
  const load = new Load(plan(0));
  let early = 0;
  let reloads = 0;
  for (; performance.now() < deadlineMs && (reloads < RELOADS || deadlineMs < Number.POSITIVE_INFINITY); ) {
    load.turn(plan(++reloads));
    if (reloads % SAMPLE_EVERY !== 0) continue;
    // The event loop lets V8 collect what is over.
    await new Promise((resolve) => setImmediate(resolve));
    const mib = residentMib();
    if (reloads <= 2 * SAMPLE_EVERY) early = Math.max(early, mib);
    assert.ok(mib < early + MAX_GROWTH_MIB, `memory grew from ${early} to ${mib} MiB in ${reloads} reloads`);
    tell(`${reloads} reloads, ${load.passed} datagrams, ${load.lost} lost, ${mib} MiB`);
  }
  assert.equal(load.lost, 0, "lost datagrams");
  assert.equal(load.failures, 0, "failures of the filter");
}

class Load {
  lost = 0;
  passed = 0;
  readonly #env = new MemoryEnvironment();
  readonly #batch = new MemoryBatch(BATCH);
  readonly #open = new Map<number, ReturnType<typeof sessionOf>>();
  #chain: FilterChain;
  #turn = 0;

  constructor(plan: RunnableFilter) {
    this.#chain = FilterChain.create([plan], this.#env);
  }

  get failures(): number {
    return this.#chain.failed.length;
  }

  /** A session comes, the oldest goes, the filter is exchanged, and a batch of all sorts of sessions passes. */
  turn(plan: RunnableFilter): void {
    const index = this.#turn++ % SESSIONS;
    if (this.#open.delete(index)) this.#chain.closeSession(index);
    this.#open.set(index, sessionOf(index));
    this.#chain.openSession(sessionOf(index));
    this.#chain = this.#chain.replace([plan], this.#open.values());
    const indexes = [...this.#open.keys()];
    const packets = Array.from({ length: BATCH }, (_, i) => ({
      payload: rtp({ ssrc: i, sequenceNumber: this.#turn & 0xffff, payload: 200 }),
      session: indexes[(this.#turn * BATCH + i) % indexes.length]!,
    }));
    this.#batch.stage(packets);
    this.#env.nowNs += BigInt(MS_PER_RELOAD * NS_PER_MS);
    this.#chain.run(this.#batch, 0, BATCH, false, Number(this.#env.nowNs));
    this.#chain.tick(Number(this.#env.nowNs) / NS_PER_MS);
    for (let i = 0; i < BATCH; i++) {
      if (this.#batch.action(i) === 0) this.passed++;
      else this.lost++;
    }
  }
}

function sessionOf(index: number) {
  return {
    index,
    client: `192.0.2.1:${40_000 + index}`,
    endpoint: "198.51.100.1:5004",
    local: "203.0.113.1:5004",
    resumed: false,
  };
}

function residentMib(): number {
  return Math.round(process.memoryUsage().rss / 2 ** 20);
}
