// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { compileFolder } from "@msm/filter-sdk/testing";
import { type MemoryBatch, Word } from "@msm/proxy/wasm";
import type { StagedRun } from "./filter-cases.ts";

/** Below the module's own data, which begin at 1 MiB (`asconfig.json`). */
const BATCH_AT = 64;
const STAGED_AT = 128;
const PAGES = 32;
const DESCRIPTOR_BYTES = 64;

/** `msm_batch`: where `count` and `descs` are. */
const COUNT = 8;
const DESCRIPTORS = 16;

/**
 * A filter linked into the memory in which datagrams lie: what isolation costs is measured against it. It shows what could
 * be had; the proxy runs no filter so.
 */
export async function inPlaceRun(folder: string): Promise<StagedRun> {
  const memory = new WebAssembly.Memory({ initial: PAGES });
  const { bytes } = await compileFolder(folder);
  const functions = { memory, abort() {} };
  const instance = new WebAssembly.Instance(await WebAssembly.compile(bytes), { env: functions });
  const { run } = instance.exports as unknown as { run(batch: number): void };
  let staged: MemoryBatch | undefined;
  return (batch) => {
    if (batch !== staged) {
      place(batch, memory);
      staged = batch;
    }
    run(BATCH_AT);
  };
}

/** Puts a batch into the memory as the ring has it: descriptors with addresses of payloads in the same memory. */
function place(batch: MemoryBatch, memory: WebAssembly.Memory): void {
  new Uint8Array(memory.buffer).set(batch.bytes, STAGED_AT);
  const view = new DataView(memory.buffer);
  const first = STAGED_AT + batch.descriptors;
  view.setUint32(BATCH_AT + COUNT, batch.count, true);
  view.setUint32(BATCH_AT + DESCRIPTORS, first, true);
  for (let i = 0; i < batch.count; i++) {
    const at = first + i * DESCRIPTOR_BYTES;
    view.setUint32(at, batch.word(i, Word.data) + STAGED_AT, true);
  }
}
