// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { SignallingHarness } from "../signalling-harness.ts";
import type { ContractResult } from "./contract.ts";

const CONNECTIONS = 2_000;
const ROUNDS = 200;

type Load = () => Promise<SignallingHarness>;

/** What every signalling filter must do whatever it speaks: none of this may end it. */
const clauses: readonly (readonly [string, (load: Load) => Promise<string | null>])[] = [
  [
    "starts with the configuration given and needs no connection",
    async (load) => {
      (await load()).advance(1_000);
      return null;
    },
  ],
  [
    "opens and closes connections without end, and keeps nothing of them",
    async (load) => {
      const filter = await load();
      for (let i = 0; i < CONNECTIONS; i++) {
        const client = filter.connect();
        if (i % 3 === 0) client.send("", true);
        if (client.closed === null) client.close();
      }
      return filter.peerCount === 0 ? null : `${filter.peerCount} connections are left`;
    },
  ],
  [
    "survives garbage of every length, whole and in pieces",
    async (load) => {
      const filter = await load();
      const random = generator(7);
      for (let round = 0; round < ROUNDS; round++) {
        const client = filter.connect();
        for (let piece = 0; piece < 4; piece++) {
          const length = Math.floor(random() ** 3 * 40_000);
          client.send(Uint8Array.from({ length }, () => Math.floor(random() * 256)));
          filter.advance(random() * 20);
        }
        if (client.closed === null) client.close();
      }
      return filter.peerCount === 0 ? null : `${filter.peerCount} connections are left`;
    },
  ],
  [
    "logs little: no message for each connection",
    async (load) => {
      const filter = await load();
      const before = filter.logs.length;
      for (let i = 0; i < ROUNDS; i++) {
        const client = filter.connect();
        client.send("?\r\n\r\n");
        if (client.closed === null) client.close();
      }
      const lines = filter.logs.length - before;
      return lines <= 10 ? null : `it logged ${lines} lines for ${ROUNDS} connections; use a metric`;
    },
  ],
];

/** Runs the contract of signalling filters over the one in `folder`. */
export async function checkSignallingContract(
  folder: string,
  config: unknown,
): Promise<readonly ContractResult[]> {
  const results: ContractResult[] = [];
  for (const [title, check] of clauses) {
    const problem = await check(() => SignallingHarness.load(folder, config)).catch((error: unknown) =>
      String(error),
    );
    results.push({ title, problem });
  }
  return results;
}

/** The same numbers at every run (Park and Miller). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
}
