// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { FilterFailure } from "./filter-failure.ts";

const decoder = new TextDecoder();
const NO_BYTES = new ArrayBuffer(0);

/**
 * The memory of one filter instance, seen from the host. Until `attach` it is empty, so that a host call out of
 * a module's start section meets a bounds check and not a missing object. Addresses are unsigned byte offsets.
 */
export class GuestMemory {
  bytes = new Uint8Array(NO_BYTES);
  words = new Uint32Array(NO_BYTES);
  view = new DataView(NO_BYTES);
  #memory: WebAssembly.Memory | null = null;
  #buffer: ArrayBuffer = NO_BYTES;
  #allocate: ((size: number) => number) | null = null;

  /** Binds the memory and the allocator that the module exports. */
  attach(memory: WebAssembly.Memory, allocate: (size: number) => number): void {
    this.#memory = memory;
    this.#allocate = allocate;
    this.bind();
  }

  /** Renews the views when the memory has grown, which detaches the old ones. Cheap when it has not. */
  bind(): void {
    const buffer = this.#memory?.buffer ?? NO_BYTES;
    if (buffer === this.#buffer) return;
    this.#buffer = buffer;
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Whether `length` bytes from `address` lie inside the memory. Renews the views first. */
  holds(address: number, length: number): boolean {
    this.bind();
    return address + length <= this.bytes.length;
  }

  /** The text at `address`, decoded as UTF-8. The caller has checked the bounds. */
  readText(address: number, length: number): string {
    return decoder.decode(this.bytes.subarray(address, address + length));
  }

  writeU32(address: number, value: number): void {
    this.view.setUint32(address, value, true);
  }

  writeU64(address: number, value: bigint): void {
    this.view.setBigUint64(address, BigInt.asUintN(64, value), true);
  }

  /** Asks the guest for memory. Throws FilterFailure when it gives none or an address that it does not have. */
  allocate(size: number): number {
    const address = (this.#allocate?.(size) ?? 0) >>> 0;
    if (address === 0 || !this.holds(address, size)) {
      throw new FilterFailure("bad_output", `the filter's allocator gave no room for ${size} bytes`);
    }
    return address;
  }

  /** Hands bytes over as Proxy-Wasm does: in memory that the guest allocates, address and size in out fields. */
  give(bytes: Uint8Array, addressOut: number, sizeOut: number): boolean {
    if (!this.holds(addressOut, 4) || !this.holds(sizeOut, 4)) return false;
    const address = bytes.length === 0 ? 0 : this.allocate(bytes.length);
    this.bytes.set(bytes, address);
    this.writeU32(addressOut, address);
    this.writeU32(sizeOut, bytes.length);
    return true;
  }
}
