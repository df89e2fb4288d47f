// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** What an answer has to name. */
export interface ResponseHead {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly version: string;
}

const VERSION = 1;
const TYPE_URL = 4;
const NONCE = 5;
const LENGTH_DELIMITED = 2;

/**
 * Reads type URL, nonce and version of a `DiscoveryResponse` or a `DeltaDiscoveryResponse`, which have them in fields
 * of the same numbers, and passes over the resources. Throws where the bytes are neither.
 */
export function readResponseHead(message: Buffer): ResponseHead {
  const texts = new Map<number, string>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error("not a discovery response: a number does not end");
  };
  while (at < message.length) {
    const tag = varint();
    const isBytes = (tag & 7) === LENGTH_DELIMITED;
    const value = varint();
    if (!isBytes) continue;
    const end = at + value;
    if (end > message.length) throw new Error("not a discovery response: a field does not end");
    const field = tag >>> 3;
    if (field === VERSION || field === TYPE_URL || field === NONCE)
      texts.set(field, message.toString("utf8", at, end));
    at = end;
  }
  const text = (field: number): string => texts.get(field) ?? "";
  return { typeUrl: text(TYPE_URL), nonce: text(NONCE), version: text(VERSION) };
}
