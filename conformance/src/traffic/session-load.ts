// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { crc32 } from "node:zlib";

/** How much to send. */
export interface SessionLoadOptions {
  readonly address: string;
  readonly port: number;
  readonly sessions: number;
  readonly datagrams: number;
  readonly perSecond: number;
}

/** What came back. */
export interface SessionLoadResult {
  readonly returned: number;
  readonly corrupted: number;
  /** Came back to another session, or twice. */
  readonly crossed: number;
  /** The endpoints that answered each session. */
  readonly endpoints: readonly ReadonlySet<number>[];
  readonly seconds: number;
}

/** Endpoint's number, session, sequence; then filling; the checksum is over all but the endpoint's number. */
const HEADER_BYTES = 9;
const CHECKSUM_BYTES = 4;
/**
 * No more datagrams than this are under way, so that a pause of any process on a busy machine delays them and does not
 * overflow the sockets of this load, whose buffers hold some 270 of them at the kernel's defaults.
 */
const WINDOW = 200;
/** What has not come back after so long is lost. */
const LOST_AFTER_MS = 3000;

/** Sends datagrams round robin from many client sockets at a steady rate and checks every one that comes back. */
export async function runSessionLoad(options: SessionLoadOptions): Promise<SessionLoadResult> {
  const { address, port, sessions, datagrams, perSecond } = options;
  const sockets: Socket[] = [];
  const endpoints = Array.from({ length: sessions }, () => new Set<number>());
  const isReturned = new Uint8Array(datagrams);
  const counts = { returned: 0, corrupted: 0, crossed: 0 };
  let lastReturnMs = performance.now();
  const onMessage = (session: number, datagram: Buffer) => {
    lastReturnMs = performance.now();
    const sequence = readSequence(datagram);
    if (sequence === undefined || sequence >= datagrams) {
      counts.corrupted++;
    } else if (
      datagram.readUInt32BE(1) !== session ||
      sequence % sessions !== session ||
      isReturned[sequence]
    ) {
      counts.crossed++;
    } else {
      isReturned[sequence] = 1;
      counts.returned++;
      endpoints[session]!.add(datagram[0]!);
    }
  };
  for (let session = 0; session < sessions; session++) {
    sockets.push(await connectedSocket(address, port, (datagram) => onMessage(session, datagram)));
  }
  const startedAt = performance.now();
  let sent = 0;
  while (counts.returned + counts.corrupted + counts.crossed < datagrams) {
    const due = Math.min(datagrams, Math.floor(((performance.now() - startedAt) / 1000) * perSecond) + 1);
    const back = counts.returned + counts.corrupted + counts.crossed;
    for (; sent < due && sent - back < WINDOW; sent++) {
      sockets[sent % sessions]!.send(makeDatagram(sent % sessions, sent));
    }
    await delay(1);
    if (performance.now() - lastReturnMs > LOST_AFTER_MS) break;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  for (const socket of sockets) socket.close();
  return { ...counts, endpoints, seconds };
}

/** 32 to 1,231 bytes, by the sequence. */
function makeDatagram(session: number, sequence: number): Buffer {
  const datagram = Buffer.alloc(32 + ((sequence * 37) % 1200), sequence & 0xff);
  datagram[0] = 0;
  datagram.writeUInt32BE(session, 1);
  datagram.writeUInt32BE(sequence, 5);
  const end = datagram.length - CHECKSUM_BYTES;
  datagram.writeUInt32BE(crc32(datagram.subarray(1, end)), end);
  return datagram;
}

/** The sequence of a datagram that is whole; undefined otherwise. */
function readSequence(datagram: Buffer): number | undefined {
  const end = datagram.length - CHECKSUM_BYTES;
  if (end < HEADER_BYTES || datagram.readUInt32BE(end) !== crc32(datagram.subarray(1, end))) return undefined;
  return datagram.readUInt32BE(5);
}

/** Connected, so that it takes nothing that does not come from the gateway. */
async function connectedSocket(address: string, port: number, onMessage: (datagram: Buffer) => void) {
  const socket = createSocket({ type: address.includes(":") ? "udp6" : "udp4" });
  socket.on("message", onMessage);
  socket.on("error", () => undefined);
  socket.connect(port, address);
  await once(socket, "connect");
  return socket;
}
