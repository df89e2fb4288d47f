// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import path from "node:path";
import { fileURLToPath } from "node:url";
import { compileFolder, languageOf, rtp } from "@msm/filter-sdk/testing";
import {
  compileFilter,
  FilterChain,
  type FilterTrust,
  MemoryBatch,
  MemoryEnvironment,
  type RunnableFilter,
} from "@msm/proxy/wasm";
import { inPlaceRun } from "./in-place-case.ts";

/** One line of the table. */
export interface FilterCase {
  readonly name: string;
  /** Runs some ten thousand datagrams and returns the nanoseconds for each. */
  measure(): number;
}

const FILTERS = fileURLToPath(new URL("../../../../filters/", import.meta.url));
const BATCH = 64;
const PAYLOAD_BYTES = 1_316;
const TURNS = 400;
const NOW_NS = 1e9;
const DESCRIPTOR_WORDS = 16;
const SSRC = 8;

/** Runs what is staged in a batch once. */
export type StagedRun = (batch: MemoryBatch) => void;

interface Chain {
  readonly name: string;
  readonly trust: FilterTrust;
  /** The filters of the chain: folders below `filters/`, or of this bench. */
  readonly folders: readonly string[];
}

const bench = (name: string): string =>
  fileURLToPath(new URL(`../../../src/load/filters/module/${name}`, import.meta.url));

/** The fuel of what is not built in is the only difference between the two. */
const withAndWithoutFuel = (name: string, folder: string): readonly Chain[] => [
  { name: `${name}, fuel off`, trust: "builtin", folders: [folder] },
  { name: `${name}, fuel on`, trust: "plugin", folders: [folder] },
];

const CHAINS: readonly Chain[] = [
  ...withAndWithoutFuel("a filter that does nothing", bench("pass")),
  ...withAndWithoutFuel("rtp-stats: header window, nothing changed", "rtp-stats"),
  ...withAndWithoutFuel("AssemblyScript: SSRC rewritten", "examples/as"),
  ...withAndWithoutFuel("C: SSRC rewritten", "examples/c"),
  ...withAndWithoutFuel("Rust: SSRC rewritten", "examples/rust"),
  ...withAndWithoutFuel("full payload: every byte read and written", bench("payload")),
  { name: "JavaScript: SSRC rewritten", trust: "script", folders: ["examples/js"] },
  {
    name: "Proxy-Wasm network filter, one call a datagram",
    trust: "plugin",
    folders: ["sdk/testdata/network-filter"],
  },
  { name: "a copy of each datagram added, fuel off", trust: "builtin", folders: ["sdk/testdata/emit-copy"] },
  ...[1, 3, 5].map((length) => ({
    name: `chain of ${length}, each rewrites the SSRC, fuel off`,
    trust: "builtin" as const,
    folders: Array.from({ length }, () => "examples/as"),
  })),
];

/** The cases whose compilers are here; `tell` says which are not. */
export async function filterCases(tell: (line: string) => void): Promise<readonly FilterCase[]> {
  const inPlace = await inPlaceRun(bench("in-place"));
  const cases: FilterCase[] = [
    nativeCase(),
    { name: "AssemblyScript linked in place, not isolated: SSRC rewritten", measure: () => timed(inPlace) },
  ];
  for (const { name, trust, folders } of CHAINS) {
    const missing = await (await languageOf(folderOf(folders[0] ?? "")))?.missing();
    if (missing !== null) tell(`${name}: left out, ${missing} is needed`);
    else cases.push(chainCase(name, await Promise.all(folders.map((folder, i) => planOf(folder, trust, i)))));
  }
  return cases;
}

function folderOf(folder: string): string {
  return path.resolve(FILTERS, folder);
}

async function planOf(folder: string, trust: FilterTrust, place: number): Promise<RunnableFilter> {
  const { bytes } = await compileFolder(folderOf(folder));
  return {
    ...{ name: `f${place}`, rootId: "", vmId: "", failurePolicy: "FAIL_CLOSED" },
    ...(await compileFilter(bytes, folder, trust)),
    ...{ configuration: new TextEncoder().encode("{}"), vmConfiguration: new Uint8Array() },
  };
}

function chainCase(name: string, plans: readonly RunnableFilter[]): FilterCase {
  const chain = FilterChain.create(plans, new MemoryEnvironment());
  const addresses = { client: "192.0.2.1:1", endpoint: "192.0.2.2:2", local: "192.0.2.3:3" };
  chain.openSession({ index: 0, ...addresses, resumed: false });
  return {
    name,
    measure: () =>
      timed(
        (batch) => {
          chain.run(batch, 0, BATCH, false, NOW_NS);
          if (chain.outgoing !== null) chain.releaseOutgoing();
        },
        name,
        chain,
      ),
  };
}

/** The same as the examples do, in the proxy's own language and in place: what isolation is measured against. */
function nativeCase(): FilterCase {
  return {
    name: "TypeScript in place: SSRC rewritten",
    measure: () =>
      timed(({ words, bytes, descriptors }) => {
        for (let i = 0; i < BATCH; i++) {
          const word = (descriptors >>> 2) + i * DESCRIPTOR_WORDS;
          const at = words[word]!;
          if ((words[word + 1]! & 0xffff) < 12 || bytes[at]! >> 6 !== 2) continue;
          const field = at + SSRC;
          const ssrc =
            ((bytes[field]! << 24) |
              (bytes[field + 1]! << 16) |
              (bytes[field + 2]! << 8) |
              bytes[field + 3]!) +
            1;
          bytes[field] = ssrc >>> 24;
          bytes[field + 1] = ssrc >>> 16;
          bytes[field + 2] = ssrc >>> 8;
          bytes[field + 3] = ssrc;
        }
      }),
  };
}

/** Nanoseconds a datagram. Throws where the filter failed meanwhile: a chain that drops everything is fast. */
function timed(run: StagedRun, name = "", chain?: FilterChain): number {
  const batch = new MemoryBatch(BATCH, PAYLOAD_BYTES + 12);
  const payloads = Array.from({ length: BATCH }, (_, i) =>
    rtp({ sequenceNumber: i, payload: PAYLOAD_BYTES }),
  );
  batch.stage(payloads.map((payload) => ({ payload })));
  const first = batch.descriptors >>> 2;
  const asStaged = batch.words.slice(first, first + BATCH * DESCRIPTOR_WORDS);
  const startedAt = performance.now();
  for (let turn = 0; turn < TURNS; turn++) {
    batch.words.set(asStaged, first);
    run(batch);
  }
  const ns = ((performance.now() - startedAt) * 1e6) / TURNS / BATCH;
  if (chain !== undefined && chain.failed.length > 0) throw new Error(`${name}: the filter failed`);
  return ns;
}
