// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { compileFilter } from "../compile-filter.ts";
import { FilterChain } from "../filter-chain.ts";
import type { RunnableFilter } from "../filter-options.ts";
import { MemoryBatch } from "../testing/memory-batch.ts";
import { MemoryEnvironment } from "../testing/memory-environment.ts";
import { type SentDatagram, takeOutgoing } from "../testing/take-outgoing.ts";

const NS_PER_MS = 1_000_000;

/** A plan for a filter in JavaScript. */
export async function scriptPlan(
  source: string,
  changes: Partial<RunnableFilter> = {},
): Promise<RunnableFilter> {
  const compiled = await compileFilter(new TextEncoder().encode(source), "filter", "script");
  return {
    name: "script",
    rootId: "root",
    vmId: "vm",
    ...compiled,
    configuration: new Uint8Array(),
    vmConfiguration: new Uint8Array(),
    failurePolicy: "FAIL_CLOSED",
    ...changes,
  };
}

/** A chain of one script with sessions 1 and 2 open, and what a test does with it. */
export class ScriptBench {
  readonly env = new MemoryEnvironment();
  readonly chain: FilterChain;

  constructor(plan: RunnableFilter) {
    this.chain = FilterChain.create([plan], this.env);
    const addresses = { client: "192.0.2.1:1", endpoint: "192.0.2.2:2", local: "192.0.2.3:3" };
    for (const index of [1, 2]) this.chain.openSession({ index, ...addresses, resumed: false });
  }

  static async load(source: string, changes: Partial<RunnableFilter> = {}): Promise<ScriptBench> {
    return new ScriptBench(await scriptPlan(source, changes));
  }

  /** Runs payloads of session 1 through the chain at so many milliseconds. */
  run(payloads: readonly (readonly number[])[], upstream = false, atMs = 1_000): MemoryBatch {
    const batch = new MemoryBatch();
    batch.stage(payloads.map((bytes) => ({ payload: Uint8Array.from(bytes), session: 1, upstream })));
    this.chain.run(batch, 0, batch.count, upstream, atMs * NS_PER_MS);
    return batch;
  }

  /** Runs what is due. */
  tick(ms: number): readonly SentDatagram[] {
    this.env.nowNs = BigInt(ms * NS_PER_MS);
    this.chain.tick(ms);
    return takeOutgoing(this.chain);
  }

  /** What was logged, and by that why the filter failed. */
  get said(): string {
    return this.env.logs.map(({ message }) => message).join("\n");
  }
}
