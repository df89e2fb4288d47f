// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket } from "node:dgram";

/** What rtpengine's NG protocol carries: dictionaries of text in the encoding of BitTorrent (BEP 3). */
export type NgValue = string | readonly string[];

const ANSWER_LIMIT_MS = 5_000;
/** A command is answered once by its cookie: the next needs another. */
let commands = 0;

/** Sends a command to rtpengine at 127.0.0.1:`port` and returns the text fields of its answer. Throws where it refuses or is silent. */
export async function askRtpengine(
  port: number,
  command: Readonly<Record<string, NgValue>>,
): Promise<ReadonlyMap<string, string>> {
  const cookie = String(++commands);
  const socket = createSocket("udp4");
  try {
    const answer = new Promise<Buffer>((resolve, reject) => {
      socket.once("message", resolve);
      socket.once("error", reject);
      setTimeout(() => reject(new Error("rtpengine does not answer")), ANSWER_LIMIT_MS).unref();
    });
    socket.send(`${cookie} ${encode(command)}`, port, "127.0.0.1");
    const fields = decodeTexts((await answer).subarray(cookie.length + 1).toString("latin1"));
    if (fields.get("result") !== "ok") throw new Error(`rtpengine refuses: ${[...fields].join(" ")}`);
    return fields;
  } finally {
    socket.close();
  }
}

function encode(value: NgValue | Readonly<Record<string, NgValue>>): string {
  if (typeof value === "string") return `${Buffer.byteLength(value)}:${value}`;
  if (isList(value)) return `l${value.map(encode).join("")}e`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `d${entries.map(([key, entry]) => encode(key) + encode(entry)).join("")}e`;
}

function isList(value: object): value is readonly string[] {
  return Array.isArray(value);
}

/** The fields of a dictionary whose values are text; reading ends at the first other. */
export function decodeTexts(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let at = 1;
  const next = (): string | undefined => {
    const length = text.slice(at).match(/^(\d+):/)?.[1];
    if (length === undefined) return undefined;
    const start = at + length.length + 1;
    at = start + Number(length);
    return text.slice(start, at);
  };
  for (;;) {
    const key = next();
    const value = key === undefined ? undefined : next();
    if (key === undefined || value === undefined) return fields;
    fields.set(key, value);
  }
}
