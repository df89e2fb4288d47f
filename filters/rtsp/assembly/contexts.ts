// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { StreamEvent } from "@msm/filter-sdk/assembly/signalling";
import { Waiter } from "./waiter";

/** A client's connection, or a stream to a server. */
export abstract class Peer extends Waiter {
  /** Takes bytes. True pauses it. */
  abstract onData(size: u32, isEnd: bool): bool;
  abstract onStream(event: StreamEvent): void;
  /** It is over. */
  abstract onClosed(): void;
  /** Every `TICK_MS`, or less often where there are many. */
  abstract onTick(nowMs: i64): void;
}

/** How often time-outs are looked at, in milliseconds. */
export const TICK_MS: u32 = 250;

// By context: those numbers are dense and used again.
const peers: (Peer | null)[] = [];
let count: i32 = 0;

/** Peers in one tick: with 10,000 of them, each has its turn every 2.5 s. */
const PEERS_AT_ONCE: i32 = 1_000;

let nextPeer: i32 = -1;

export function setPeer(context: u32, peer: Peer): void {
  while (<u32>peers.length <= context) peers.push(null);
  if (peers[context] == null) count++;
  peers[context] = peer;
}

export function removePeer(context: u32): void {
  if (peerOf(context) == null) return;
  peers[context] = null;
  count--;
}

export function peerOf(context: u32): Peer | null {
  return context < <u32>peers.length ? peers[context] : null;
}

/** Whether there is any. */
export function hasPeers(): bool {
  return count > 0;
}

/** Lets the next thousand look at their time-outs. */
export function tickPeers(nowMs: i64): void {
  const all = min(peers.length, PEERS_AT_ONCE);
  for (let i = 0; i < all; i++) {
    if (++nextPeer >= peers.length) nextPeer = 0;
    const peer = peers[nextPeer];
    if (peer != null) peer.onTick(nowMs);
  }
}
