// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { AddressReader, property } from "@msm/filter-sdk/assembly";

/** Contexts of sessions are dense; those above, which no worker has, are not captured. */
export const MAX_SESSIONS: u32 = 1 << 16;

/** Per peer: the address as 128 bits, in the order of networks, its port, and whether it was read and is IPv6. */
const PEER_BYTES: usize = 20;
const PORT: usize = 16;
const KIND: usize = 18;

/** What is known of an address. */
export const NO_ADDRESS: u8 = 0;
export const IPV4: u8 = 4;
export const IPV6: u8 = 6;

/** The addresses of each session's client and endpoint. */
export class Peers {
  private readonly table: usize = heap.alloc(<usize>MAX_SESSIONS * 2 * PEER_BYTES);
  private readonly reader: AddressReader = new AddressReader();

  /** Notes the peers of the session that is the effective context. */
  open(session: u32): void {
    this.note(this.at(session, 0), "source.address");
    this.note(this.at(session, 1), "upstream.address");
  }

  /** Where a session's client (0) or endpoint (1) is; below `MAX_SESSIONS` only. */
  at(session: u32, peer: usize): usize {
    return this.table + (((<usize>session) << 1) + peer) * PEER_BYTES;
  }

  /** `IPV4`, `IPV6` or `NO_ADDRESS` of a peer. */
  kind(peer: usize): u8 {
    return load<u8>(peer + KIND);
  }

  /** The port of a peer, in the order of networks. */
  port(peer: usize): u16 {
    return load<u16>(peer + PORT);
  }

  private note(to: usize, path: string): void {
    const text = property(path);
    const isRead = this.reader.read(text.address, text.address + text.size);
    store<u64>(to, bswap<u64>(this.reader.high));
    store<u64>(to + 8, bswap<u64>(this.reader.low));
    store<u16>(to + PORT, bswap<u16>(<u16>this.reader.port));
    store<u8>(to + KIND, !isRead ? NO_ADDRESS : this.reader.isV4 ? IPV4 : IPV6);
  }
}
