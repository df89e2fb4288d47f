// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv4 } from "node:net";

/** What a name has, and for how many seconds; `undefined` is a server that fails. */
export interface TestZone {
  addresses: readonly string[];
  ttl: number;
}

const TYPE_A = 1;
const TYPE_AAAA = 28;
const SERVER_FAILURE = 2;
const NO_SUCH_NAME = 3;

/** A DNS server on a free port of loopback that answers questions for addresses (RFC 1035 section 4.1). */
export class TestDnsServer {
  readonly zones = new Map<string, TestZone | undefined>();
  readonly #socket = createSocket("udp4");

  static async start(): Promise<TestDnsServer> {
    const server = new TestDnsServer();
    server.#socket.on("message", (query, from) => {
      server.#socket.send(server.#answer(query), from.port, from.address);
    });
    server.#socket.bind(0, "127.0.0.1");
    await once(server.#socket, "listening");
    return server;
  }

  /** `ip:port` of it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  close(): void {
    this.#socket.close();
  }

  #answer(query: Buffer): Buffer {
    const { name, end } = readName(query);
    const type = query.readUInt16BE(end);
    const question = query.subarray(12, end + 4);
    const isKnown = this.zones.has(name);
    const zone = this.zones.get(name);
    const code = zone !== undefined ? 0 : isKnown ? SERVER_FAILURE : NO_SUCH_NAME;
    const records = (zone?.addresses ?? [])
      .filter((address) => (isIPv4(address) ? TYPE_A : TYPE_AAAA) === type)
      .map((address) => record(type, zone!.ttl, address));
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    // An answer, with recursion wanted and to be had.
    header.writeUInt16BE(0x8180 | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    return Buffer.concat([header, question, ...records]);
  }
}

function readName(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), end: at + 1 };
}

function record(type: number, ttl: number, address: string): Buffer {
  const data = isIPv4(address) ? Buffer.from(address.split(".").map(Number)) : ipv6(address);
  const head = Buffer.alloc(12);
  // The name is that of the question, by a pointer (section 4.1.4).
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

/** The bytes of an IPv6 address that is written with one `::`. */
function ipv6(address: string): Buffer {
  const [left = "", right = ""] = address.split("::");
  const words = (text: string) =>
    text === "" ? [] : text.split(":").map((word) => Number.parseInt(word, 16));
  const [first, last] = [words(left), words(right)];
  const all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
  const bytes = Buffer.alloc(16);
  for (const [index, word] of all.entries()) bytes.writeUInt16BE(word, index * 2);
  return bytes;
}
