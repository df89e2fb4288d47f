// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { drawView, rateText } from "./draw-view.ts";
import {
  emptyView,
  HISTORY_LENGTH,
  lookAgain,
  type ViewedFlow,
  type ViewedLeg,
  type ViewedStream,
} from "./view-model.ts";

function leg(role: ViewedLeg["role"], id: string, bytes: number, more: Partial<ViewedLeg> = {}): ViewedLeg {
  return {
    ...{ id, role, isEnabled: true, isActive: role === "source", transport: "udp", dropped: {} },
    ...{ receivedBytes: bytes, sentBytes: bytes, remote: { ip: "192.0.2.1", port: 5004 } },
    ...more,
  };
}

function flow(
  bytes: number,
  receivers: readonly ViewedLeg[] = [leg("receiver", "reader-1", bytes)],
): ViewedFlow {
  return {
    owner: "a",
    id: "1",
    stream: "rtsp://host/one track 0",
    legs: [leg("source", "source-1", bytes), ...receivers],
  };
}

function stream(listener: string, bytes: number, more: Partial<ViewedStream> = {}): ViewedStream {
  return {
    ...{ listener, client: "192.0.2.9:1000", endpoint: "192.0.2.8:2000", ssrc: 7, upstreamDirection: true },
    ...{ bytes, lost: 2, jitterMs: 1.25 },
    ...more,
  };
}

test("a flow has its sources and receivers with the rates since the last look, and the statistics of its stream", () => {
  const before = lookAgain(emptyView, 1_000, [flow(1_000)], []);
  const { rows } = lookAgain(before, 3_000, [flow(251_000)], [stream("rtsp://host/one track 0", 1)]);
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({
    title: "rtsp://host/one track 0",
    sources: [{ label: "192.0.2.1:5004", bitsPerSecond: 1_000_000, isIdle: false }],
    receivers: [{ note: "reader-1, udp", bitsPerSecond: 1_000_000 }],
    history: [1_000_000],
    ...{ lost: 2, jitterMs: 1.25 },
  });
});

test("a stream without a flow goes from its client to its endpoint, or back", () => {
  const up = lookAgain(emptyView, 0, [], [stream("udp", 1)]).rows[0];
  expect([up?.sources[0]?.label, up?.receivers[0]?.label]).toEqual(["192.0.2.9:1000", "192.0.2.8:2000"]);
  const down = lookAgain(emptyView, 0, [], [stream("udp", 1, { upstreamDirection: false })]).rows[0];
  expect([down?.sources[0]?.label, down?.receivers[0]?.label]).toEqual(["192.0.2.8:2000", "192.0.2.9:1000"]);
});

test("a counter that starts again is no rate, and what is gone is forgotten", () => {
  const before = lookAgain(emptyView, 0, [flow(10_000)], []);
  const again = lookAgain(before, 1_000, [flow(500)], []);
  expect(again.rows[0]?.sources[0]?.bitsPerSecond).toBe(0);
  expect(lookAgain(again, 2_000, [], [])).toEqual({ atMs: 2_000, bytes: new Map(), rows: [] });
});

test("a row remembers a minute of looks", () => {
  let view = emptyView;
  for (let look = 0; look < HISTORY_LENGTH + 5; look++)
    view = lookAgain(view, look * 1_000, [flow(look * 125)], []);
  expect(view.rows[0]?.history).toEqual(Array.from({ length: HISTORY_LENGTH }, () => 1_000));
});

test("names from outside cannot become markup", () => {
  const evil = `<img src=x onerror="alert('1')">&`;
  const remote = { ip: evil, port: 1 };
  const legs = [leg("receiver", evil, 1, { remote, transport: evil })];
  const html = drawView(lookAgain(emptyView, 0, [{ ...flow(1, legs), stream: evil }], []).rows);
  expect(html).toContain("&#60;img src=x");
  expect(html).not.toMatch(/<img|onerror="|'1'/);
});

test("drops are marked, and of many receivers the first eleven are drawn and the rest summed up", () => {
  const receivers = Array.from({ length: 200 }, (_, index) =>
    leg("receiver", `reader-${index}`, 1, index === 150 ? { dropped: { queue: 3 } } : {}),
  );
  const html = drawView(lookAgain(emptyView, 0, [flow(1, receivers)], []).rows);
  expect(html.match(/reader-/g)).toHaveLength(11);
  expect(html).toContain("and 189 more");
  expect(html).toMatch(/class="end bad".*and 189 more[^g]*together, 3 dropped/s);
});

test("nothing but the hint is drawn where nothing flows", () => {
  expect(drawView([])).toContain("No media flows yet");
});

test.each([
  [0, ""],
  [64_000, "64 kbit/s"],
  [1_500_000, "1.50 Mbit/s"],
  [250_000_000, "250.0 Mbit/s"],
])("%d bits per second are shown as %j", (rate, text) => {
  expect(rateText(rate)).toBe(text);
});
