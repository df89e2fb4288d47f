// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

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

/** `folders` are the filters of a chain, below `filters/`. */
const CHAINS: readonly { readonly name: string; readonly trust: FilterTrust; readonly folders: string[] }[] =
  [
    ...(["builtin", "plugin"] as const).flatMap((trust) => {
      const fuel = trust === "builtin" ? "fuel off" : "fuel on";
      return [
        { name: `rtp-stats: header window, nothing changed, ${fuel}`, trust, folders: ["rtp-stats"] },
        { name: `AssemblyScript: SSRC rewritten, ${fuel}`, trust, folders: ["examples/as"] },
        { name: `C: SSRC rewritten, ${fuel}`, trust, folders: ["examples/c"] },
        { name: `Rust: SSRC rewritten, ${fuel}`, trust, folders: ["examples/rust"] },
      ];
    }),
    { name: "JavaScript: SSRC rewritten", trust: "script", folders: ["examples/js"] },
    {
      name: "Proxy-Wasm network filter, one call a datagram",
      trust: "plugin",
      folders: ["sdk/testdata/network-filter"],
    },
    {
      name: "a copy of each datagram added, fuel off",
      trust: "builtin",
      folders: ["sdk/testdata/emit-copy"],
    },
    ...[3, 5].map((length) => ({
      name: `chain of ${length} AssemblyScript filters, fuel off`,
      trust: "builtin" as const,
      folders: Array.from({ length }, () => "examples/as"),
    })),
  ];

/** The cases whose compilers are here; `tell` says which are not. */
export async function filterCases(tell: (line: string) => void): Promise<readonly FilterCase[]> {
  const cases: FilterCase[] = [nativeCase()];
  for (const { name, trust, folders } of CHAINS) {
    const missing = await (await languageOf(FILTERS + folders[0]))?.missing();
    if (missing !== null) tell(`${name}: left out, ${missing} is needed`);
    else cases.push(chainCase(name, await Promise.all(folders.map((folder, i) => planOf(folder, trust, i)))));
  }
  return cases;
}

async function planOf(folder: string, trust: FilterTrust, place: number): Promise<RunnableFilter> {
  const { bytes } = await compileFolder(FILTERS + folder);
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
function timed(run: (batch: MemoryBatch) => void, name = "", chain?: FilterChain): number {
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
