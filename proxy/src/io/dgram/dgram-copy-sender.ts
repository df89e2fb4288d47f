// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:dgram";
import type { Ring } from "../../datapath/ring.ts";
import { readSockaddr } from "../../datapath/sockaddr.ts";
import { LegDrop, LegNumber, type LegRecords, LegWord } from "../../flow/leg-records.ts";
import type { RtpBatch } from "../../flow/rtp-batch.ts";
import { RTP_HEADER_BYTES } from "../../flow/rtp-header.ts";
import { type CopySender, MOST_COPIED } from "../copy-sender.ts";

/** What node:dgram may hold back for one socket, in bytes: beyond it a receiver's datagrams are dropped. */
const MOST_QUEUED_BYTES = 8 << 20;

/** Copies by `node:dgram`, each datagram by itself. */
export class DgramCopySender implements CopySender {
  readonly headers = new Uint8Array(MOST_COPIED * RTP_HEADER_BYTES);
  readonly #ring: Ring;
  readonly #records: LegRecords;
  readonly #socketOf: (socket: number) => Socket | undefined;
  #batch: RtpBatch | undefined;
  #own: Uint8Array = new Uint8Array(0);

  constructor(ring: Ring, records: LegRecords, socketOf: (socket: number) => Socket | undefined) {
    this.#ring = ring;
    this.#records = records;
    this.#socketOf = socketOf;
  }

  begin(batch: RtpBatch): void {
    this.#batch = batch;
  }

  addPlain(leg: number, socket: number): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    for (let i = 0; i < batch.count; i++) {
      const start = batch.offset[i]!;
      // A copy: node:dgram sends after the ring has been used again.
      this.#sendMedia(leg, socket, Buffer.from(this.#ring.bytes.subarray(start, start + batch.length[i]!)));
    }
  }

  reserveHeaders(): number {
    return 0; // They are copied at once.
  }

  addRewritten(leg: number, socket: number, kept: Uint32Array, count: number, headers: number): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    for (let i = 0; i < count; i++) {
      const start = batch.offset[kept[i]!]!;
      const data = Buffer.from(this.#ring.bytes.subarray(start, start + batch.length[kept[i]!]!));
      const header = headers + i * RTP_HEADER_BYTES;
      data.set(this.headers.subarray(header, header + RTP_HEADER_BYTES));
      this.#sendMedia(leg, socket, data);
    }
  }

  addPacket(
    leg: number,
    address: number,
    socket: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): void {
    this.#send(leg, address, socket, Buffer.from(bytes.subarray(start, start + length)));
  }

  attach(memory: Uint8Array): void {
    this.#own = memory;
  }

  addOwn(leg: number, socket: number, offsets: Uint32Array, lengths: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const start = offsets[i]!;
      this.#sendMedia(leg, socket, Buffer.from(this.#own.subarray(start, start + lengths[i]!)));
    }
  }

  flush(): void {
    // Everything is on its way.
  }

  #sendMedia(leg: number, socket: number, data: Buffer): void {
    if (!this.#send(leg, LegWord.remote, socket, data)) return;
    this.#records.add(leg, LegNumber.sentPackets, 1);
    this.#records.add(leg, LegNumber.sentOctets, data.length - RTP_HEADER_BYTES);
  }

  #send(leg: number, address: number, socket: number, data: Buffer): boolean {
    const opened = this.#socketOf(socket);
    if (opened === undefined) return false;
    if (opened.getSendQueueSize() > MOST_QUEUED_BYTES) {
      this.#records.add(leg, LegDrop.backPressure, 1);
      return false;
    }
    const to = readSockaddr(this.#records.bytes, this.#records.addressOffset(leg, address));
    opened.send(data, to.port, to.address, (error) => {
      if (error) this.#records.add(leg, LegDrop.sendError, 1);
    });
    this.#records.add(leg, LegNumber.sentDatagrams, 1);
    this.#records.add(leg, LegNumber.sentBytes, data.length);
    return true;
  }
}
