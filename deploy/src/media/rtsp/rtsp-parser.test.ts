// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { formatFrame, formatRequest, formatResponse, type RtspItem } from "./rtsp-message.ts";
import { RtspParser, RtspSyntaxError } from "./rtsp-parser.ts";

const dialog = Buffer.concat([
  formatRequest("DESCRIBE", "rtsp://host/a", { CSeq: 1, Accept: "application/sdp" }),
  Buffer.from("\r\n"),
  formatFrame(0, Buffer.from("$RTSP/1.0 200 OK\r\n\r\n")),
  formatResponse(200, { CSeq: 1, Session: undefined }, "v=0\r\n"),
  formatFrame(255, Buffer.alloc(0)),
]);

function shown(items: readonly RtspItem[]): readonly string[] {
  return items.map((item) => {
    if (item.type === "frame") return `frame ${item.channel} ${item.payload}`;
    const start = item.type === "request" ? `${item.method} ${item.url}` : `${item.status} ${item.reason}`;
    return `${start} ${JSON.stringify([...item.headers])} ${item.body}`;
  });
}

const expected = [
  'DESCRIBE rtsp://host/a [["cseq","1"],["accept","application/sdp"]] ',
  "frame 0 $RTSP/1.0 200 OK\r\n\r\n",
  '200 OK [["cseq","1"],["content-length","5"]] v=0\r\n',
  "frame 255 ",
];

test("reads requests, responses and frames from one connection, however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(dialog.length), { maxLength: 12 }), (cuts) => {
      const parser = new RtspParser();
      const at = [0, ...cuts.sort((left, right) => left - right), dialog.length];
      const items = at.slice(1).flatMap((end, index) => parser.push(dialog.subarray(at[index]!, end)));
      expect(shown(items)).toEqual(expected);
    }),
  );
});

test("answers whatever bytes with items or RtspSyntaxError", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }), (chunks) => {
      const parser = new RtspParser();
      try {
        for (const chunk of chunks) parser.push(Buffer.from(chunk));
      } catch (error) {
        expect(error).toBeInstanceOf(RtspSyntaxError);
      }
    }),
  );
});

test("refuses what would take memory without end", () => {
  expect(() => new RtspParser().push(Buffer.alloc(20_000, "a"))).toThrow(RtspSyntaxError);
  const long = formatRequest("ANNOUNCE", "rtsp://host/a", { "Content-Length": 1_000_000 });
  expect(() => new RtspParser().push(long)).toThrow(/Content-Length 1000000/);
});
