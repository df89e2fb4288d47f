// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from "node:fs";

/** A request and what was answered to it; both as they went over the wire. */
export interface Exchange {
  readonly method: string;
  readonly request: string;
  readonly answer: string;
}

const folder = new URL("../../../dialogs/", import.meta.url);

/** Dialogs of RFC 2326 and of ffmpeg and GStreamer with GStreamer's server, each in its order. */
export function readDialogs(): readonly (readonly Exchange[])[] {
  return readdirSync(folder).map((file) => exchangesIn(readFileSync(new URL(file, folder), "latin1")));
}

/** Each message stands behind a line that says who sent it; lines end with CRLF on the wire. */
function exchangesIn(text: string): readonly Exchange[] {
  const messages = text
    .split(/^== (?=client|server)/m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf("\n");
      return { who: part.slice(0, end), bytes: part.slice(end + 1).replaceAll("\n", "\r\n") };
    });
  return messages.flatMap(({ who, bytes }, index) => {
    const next = messages[index + 1];
    if (who !== "client" || next?.who !== "server") return [];
    return [{ method: bytes.slice(0, bytes.indexOf(" ")), request: bytes, answer: next.bytes }];
  });
}
