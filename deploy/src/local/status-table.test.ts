// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import type { ViewedStream } from "../media/incoming-media.ts";
import { statusTable } from "./status-table.ts";

const viewed = {
  kind: "video",
  ssrc: 7,
  received: 300,
  bytes: 175_000,
  lost: 1,
  jitterMs: 0.5,
} as ViewedStream;

test("shows the bitrate since the sample before and the proxy's numbers of the same SSRC", () => {
  const before = { atMs: 1000, viewed: [{ ...viewed, bytes: 0 }], proxied: undefined };
  const stream = {
    ssrc: 7,
    packets: 301,
    lost: 0,
    jitterMs: 0.25,
    far: { cumulativeLost: 2, roundTripMs: null },
  };
  const now = { atMs: 2000, viewed: [viewed], proxied: [stream] } as unknown as Parameters<
    typeof statusTable
  >[0];
  const [, row] = statusTable(now, before);
  expect(row!.split(/ +/)).toEqual(["video", "1400", "300", "1", "0.50", "301", "0", "0.25", "2", "-"]);
});

test("shows dashes for what is not known", () => {
  const [heading, row] = statusTable({ atMs: 0, viewed: [viewed], proxied: undefined }, undefined);
  expect(row!.split(/ +/)).toEqual(["video", "-", "300", "1", "0.50", "-", "-", "-", "-", "-"]);
  expect(heading).toHaveLength(row!.length);
});
