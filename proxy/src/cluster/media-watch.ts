// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { LiveStream } from "../datapath/datapath.ts";
import type { MediaConduct } from "./media-judge.ts";

/** What is summed up over the streams of an address. */
interface Sum {
  expected: number;
  lost: number;
  /** Jitter by packets. */
  weightedJitter: number;
}

/**
 * Turns what filters say of RTP streams into the conduct of endpoints: what comes from one, as it is received here, and what
 * goes to one, as it says in its reports. What clients report of their own way is nobody's fault here.
 */
export class MediaWatch {
  #look = 0;
  /** Packets and losses of each stream at the look before. */
  #before: ReadonlyMap<string, LiveStream> = new Map();
  #sums = new Map<string, Sum>();

  /** Takes over the streams as they are now. */
  look(streams: readonly LiveStream[]): void {
    this.#look++;
    this.#sums = new Map();
    const now = new Map<string, LiveStream>();
    for (const stream of streams) {
      const key = keyOf(stream);
      now.set(key, stream);
      const before = this.#before.get(key);
      if (before !== undefined && before.packets <= stream.packets) this.#add(stream, before);
    }
    this.#before = now;
  }

  /** The conduct of what sends from an address, `ip:port`, or in flows from any port of an `ip`. */
  of(address: string): MediaConduct | undefined {
    const sum = this.#sums.get(address);
    if (sum === undefined) return undefined;
    const { expected, lost, weightedJitter } = sum;
    return { look: this.#look, expected, lost, jitterMs: weightedJitter / Math.max(1, expected - lost) };
  }

  #add(stream: LiveStream, before: LiveStream): void {
    const packets = stream.packets - before.packets;
    if (stream.source !== undefined) {
      this.#sum(hostOf(stream.source), packets, stream.lost - before.lost, stream.jitterMs);
    } else if (stream.upstreamDirection) {
      this.#sum(stream.endpoint, packets, stream.lost - before.lost, stream.jitterMs);
    } else if (stream.far !== null) {
      const lost = packets * stream.far.fractionLost;
      this.#sum(stream.endpoint, packets - lost, lost, stream.far.jitterMs);
    }
  }

  #sum(address: string, received: number, lost: number, jitterMs: number): void {
    const sum = this.#sums.get(address) ?? { expected: 0, lost: 0, weightedJitter: 0 };
    // More duplicates than losses are no loss.
    sum.lost += Math.max(0, lost);
    sum.expected += received + Math.max(0, lost);
    sum.weightedJitter += received * jitterMs;
    this.#sums.set(address, sum);
  }
}

function keyOf({ worker, session, listener, filter, client, ssrc, upstreamDirection }: LiveStream): string {
  return `${worker} ${session} ${ssrc} ${upstreamDirection} ${filter} ${client} ${listener}`;
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":"));
}
