// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { compileFolder } from "../compile.mjs";
import { FilterHarness, type HarnessOptions } from "../filter-harness.ts";
import { rtp } from "../rtp.ts";
import { checkSignallingContract } from "./signalling-contract.ts";

/** What every filter must do whatever it is for, and what was wrong with it; null where nothing was. */
export interface ContractResult {
  readonly title: string;
  readonly problem: string | null;
}

type Load = (options?: HarnessOptions) => Promise<FilterHarness>;

const LARGEST = 65_507;
const SESSIONS = 2_000;
const ROUNDS = 400;

/** Each line is a promise of filters/README.md. All of them run with instructions counted, at each stage of the filter. */
const clauses: readonly (readonly [string, (load: Load) => Promise<string | null>])[] = [
  [
    "starts with the configuration given and needs no datagram",
    async (load) => {
      const filter = await load();
      filter.tick(1_000);
      return broken(filter, "a second without datagrams");
    },
  ],
  [
    "survives datagrams of every size from 0 to 65,507 bytes",
    async (load) => {
      const filter = await load({ payloadBytes: LARGEST });
      const sizes = [0, 1, 2, 3, 4, 7, 8, 11, 12, 13, 63, 64, 127, 128, 1_316, 2_047, LARGEST];
      filter.run(sizes.map((size) => new Uint8Array(size).fill(0x80)));
      return broken(filter, "datagrams of odd sizes");
    },
  ],
  [
    "survives garbage, from the client and from the endpoint",
    async (load) => {
      const filter = await load();
      const random = generator(7);
      for (let round = 0; round < ROUNDS; round++) {
        const datagrams = Array.from({ length: 16 }, () => garbage(random));
        filter.run(datagrams, { from: random() < 0.5 ? "client" : "endpoint", session: round % 5 });
        filter.tick(random() * 20);
      }
      return broken(filter, "garbage");
    },
  ],
  [
    "takes RTP with the headers that the standard allows",
    async (load) => {
      const filter = await load();
      for (let i = 0; i < ROUNDS; i++) {
        filter.run([rtp({ sequenceNumber: i & 0xffff, timestamp: i * 3_000, payload: i % 1_400 })]);
      }
      return broken(filter, "RTP");
    },
  ],
  [
    "opens and closes sessions without end",
    async (load) => {
      const filter = await load();
      for (let i = 0; i < SESSIONS; i++) {
        filter.run([rtp({ ssrc: i })], { session: i % 100 });
        if (i % 3 === 0) filter.closeSession(i % 100);
      }
      return broken(filter, `${SESSIONS} sessions`);
    },
  ],
  [
    "takes batches with datagrams of many sessions, as sessions come and go",
    async (load) => {
      const filter = await load();
      const random = generator(11);
      for (let round = 0; round < ROUNDS; round++) {
        const session = Array.from({ length: 20 }, (_, i) => (i * 7 + round) % 90);
        const datagrams = session.map((ssrc) => (random() < 0.3 ? garbage(random) : rtp({ ssrc })));
        filter.run(datagrams, { session, from: random() < 0.5 ? "client" : "endpoint" });
        filter.closeSession(session[0]!);
        filter.tick(random() * 5);
      }
      return broken(filter, "batches of many sessions");
    },
  ],
  [
    "does not grow: datagrams leave no memory behind",
    async (load) => {
      const filter = await load();
      const datagrams = Array.from({ length: 64 }, (_, i) => rtp({ sequenceNumber: i, payload: 200 }));
      const staged = filter.stage(datagrams);
      for (let round = 0; round < 20; round++) filter.runStaged(staged);
      const before = filter.memoryBytes;
      for (let round = 0; round < 5_000; round++) filter.runStaged(staged);
      const grown = filter.memoryBytes - before;
      return grown === 0
        ? broken(filter, "many datagrams")
        : `its memory grew by ${grown} bytes in 320,000 datagrams`;
    },
  ],
  [
    "logs little: no message for each datagram",
    async (load) => {
      const filter = await load();
      const before = filter.logs.length;
      for (let round = 0; round < 200; round++)
        filter.run([rtp({ sequenceNumber: round }), new Uint8Array(3)]);
      const lines = filter.logs.length - before;
      return lines <= 10 ? null : `it logged ${lines} lines for 400 datagrams; use a metric`;
    },
  ],
];

/** Runs the contract over the filter in `folder`. Throws where it does not compile or refuses `config`. */
export async function checkContract(
  folder: string,
  config: unknown = {},
): Promise<readonly ContractResult[]> {
  if (await isSignalling(folder)) return checkSignallingContract(folder, config);
  const { stages } = await FilterHarness.load(folder, config);
  const results: ContractResult[] = [];
  for (const stage of stages) {
    const load: Load = (options) => FilterHarness.load(folder, config, { ...options, stage });
    for (const [title, check] of clauses) {
      const problem = await check(load).catch((error: unknown) => String(error));
      results.push({ title: stage === "SESSION" ? title : `at ${stage}: ${title}`, problem });
    }
  }
  return results;
}

/** Whether it speaks a protocol over connections, and sees no datagrams. */
async function isSignalling(folder: string): Promise<boolean> {
  const { bytes, suffix } = await compileFolder(folder);
  if (suffix !== ".wasm") return false;
  const exported = WebAssembly.Module.exports(await WebAssembly.compile(bytes));
  return exported.some(({ name }) => name === "msm_on_stream");
}

function broken(filter: FilterHarness, by: string): string | null {
  if (!filter.isFailed) return null;
  return `${by} broke it: ${filter.logs.at(-1)?.message ?? "no reason"}`;
}

/** Half of it looks like RTP or RTCP, so that it gets past first checks. */
function garbage(random: () => number): Uint8Array {
  const bytes = Uint8Array.from({ length: Math.floor(random() ** 3 * 2_000) }, () =>
    Math.floor(random() * 256),
  );
  if (bytes.length > 1 && random() < 0.5) {
    bytes[0] = 0x80 | (bytes[0]! & 0x3f);
    if (random() < 0.5) bytes[1] = 192 + (bytes[1]! & 31);
  }
  return bytes;
}

/** The same numbers at every run (Park and Miller). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
}
