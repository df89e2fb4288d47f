// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type Batch, DESCRIPTOR_WORDS } from "../datapath/batch.ts";
import { AF_INET, isWildcard, SOCKADDR_BYTES, writeSockaddr } from "../datapath/sockaddr.ts";
import type { SocketAddress } from "../plan.ts";
import { ADDRESS_BYTES, AddressField } from "./abi.ts";
import type { GuestMemory } from "./guest-memory.ts";

const IP_VERSION_4 = 4;
const IP_VERSION_6 = 6;

/** The `msm_addrs` of a filter at stage LISTENER: one for each descriptor, in the memory of its batch. */
export class AddressTable {
  readonly #memory: GuestMemory;
  readonly #first: number;
  /** Where datagrams are sent to, as `struct sockaddr`. */
  readonly #local = new Uint8Array(SOCKADDR_BYTES);
  /** Whether that is every address of this host. */
  readonly #isWildcard: boolean;

  /** `first` is where the first one lies in the guest. The datagrams were sent to `local`. */
  constructor(memory: GuestMemory, first: number, local: SocketAddress | undefined) {
    this.#memory = memory;
    this.#first = first;
    if (local !== undefined) writeSockaddr(this.#local, 0, local);
    this.#isWildcard = local !== undefined && isWildcard(this.#local, 0);
  }

  /**
   * Writes the addresses of `live[start..start+count)` and, every `DESCRIPTOR_WORDS` from `word` on, where they are. Where
   * the batch knows none, that is 0.
   */
  write(batch: Batch, live: Uint32Array, start: number, count: number, word: number): void {
    const { words, bytes } = this.#memory;
    for (let k = 0; k < count; k++) {
      const to = this.#first + k * ADDRESS_BYTES;
      const from = batch.sourceOf?.(live[start + k]!) ?? -1;
      words[word + k * DESCRIPTOR_WORDS] = from < 0 ? 0 : to;
      if (from < 0) continue;
      const source = batch.bytes;
      bytes[to + AddressField.family] = source[from] === AF_INET ? IP_VERSION_4 : IP_VERSION_6;
      copyAddress(source, from, bytes, to + AddressField.sport, to + AddressField.src);
      copyAddress(this.#local, 0, bytes, to + AddressField.dport, to + AddressField.dst);
      const local = this.#isWildcard ? (batch.localOf?.(live[start + k]!) ?? -1) : -1;
      if (local >= 0) copyIp(source, local, source[from] === AF_INET, bytes, to + AddressField.dst);
    }
  }
}

/** Copies a `struct sockaddr`: the port as a number of this machine, the IP address as it is. */
function copyAddress(from: Uint8Array, at: number, to: Uint8Array, port: number, address: number): void {
  to[port] = from[at + 3]!;
  to[port + 1] = from[at + 2]!;
  const isVersion4 = from[at] === AF_INET;
  copyIp(from, at + (isVersion4 ? 4 : 8), isVersion4, to, address);
}

function copyIp(from: Uint8Array, at: number, isVersion4: boolean, to: Uint8Array, address: number): void {
  const length = isVersion4 ? 4 : 16;
  for (let i = 0; i < 16; i++) to[address + i] = i < length ? from[at + i]! : 0;
}
