// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { DESCRIPTOR_WORDS, Flag, Word } from "../../datapath/batch.ts";
import { FIRST_SESSION_CONTEXT } from "../abi.ts";
import type { FilterChain } from "../filter-chain.ts";

/** A datagram as a worker would send it. */
export interface SentDatagram {
  readonly payload: Uint8Array;
  /** Index of the session. */
  readonly session: number;
  readonly toClient: boolean;
  readonly mark: number;
  /** Where it goes instead of its session's endpoint; absent where it does not. */
  readonly target?: string;
}

/** Takes what a chain has outgoing, as a worker does after each run and tick: for tests. */
export function takeOutgoing(chain: FilterChain): readonly SentDatagram[] {
  const { outgoing } = chain;
  if (outgoing === null) return [];
  const { words, bytes, descriptors } = outgoing.batch;
  const sent = [...outgoing.indexes.subarray(0, outgoing.count)].map((index) => {
    const word = (descriptors >>> 2) + index * DESCRIPTOR_WORDS;
    const data = words[word + Word.data]!;
    const target = chain.target(words[word + Word.target]!);
    return {
      payload: bytes.slice(data, data + (words[word + Word.length]! & 0xffff)),
      session: words[word + Word.session]! - FIRST_SESSION_CONTEXT,
      toClient: (words[word + Word.flags]! & Flag.UpstreamDirection) !== 0,
      mark: words[word + Word.mark]!,
      ...(target && { target: target.name }),
    };
  });
  chain.releaseOutgoing();
  return sent;
}
