// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { beforeEach, expect, test } from "vitest";
import { createLegMemory, LegFlag, LegNumber, LegRecords, LegWord, RECORD_WORDS } from "../leg-records.ts";
import { FlowRtcp, RtcpRelay } from "./flow-rtcp.ts";
import { ReceiverStage } from "./receiver-stage.ts";
import { RingLinks } from "./ring-links.ts";
import type { RunningFlow, RunningLeg } from "./running-flow.ts";

const BEGUN_MS = 1_700_000_000_000;
const CLOCK_RATE = 90_000;
const [SOURCE, PLAIN, MOVED] = [1, 2, 3] as const;

let wallMs: number;
let sent: { readonly leg: number; readonly packet: Buffer }[];
let records: LegRecords;

beforeEach(() => {
  wallMs = BEGUN_MS;
  sent = [];
  records = new LegRecords(createLegMemory(8));
});

function relay(): RtcpRelay {
  const copies = {
    headers: new Uint8Array(),
    begin() {},
    addPlain() {},
    reserveHeaders: () => 0,
    addRewritten() {},
    addPacket(leg: number, _: number, __: number, bytes: Uint8Array, start: number, length: number) {
      sent.push({ leg, packet: Buffer.from(bytes.slice(start, start + length)) });
    },
    attach() {},
    addOwn() {},
    flush() {},
  };
  const links = new RingLinks(() => {});
  const stage = new ReceiverStage({ records, copies, links, onRun() {} });
  return new RtcpRelay(
    records,
    copies,
    links,
    stage,
    () => 0.5,
    () => wallMs,
  );
}

/** A flow with a receiver as it is and one that is moved, both with 5 packets of 100 bytes. */
function flowOf(clockRate = CLOCK_RATE): RunningFlow {
  const rtcp = new FlowRtcp(0xaaaa, "here");
  const flow = {
    rtcp,
    sourceCount: 1,
    origin: SOURCE,
    receivers: [],
    trunks: [],
  } as unknown as RunningFlow & {
    receivers: RunningLeg[];
  };
  const leg = (record: number, task?: object) => {
    records.setAddress(record, LegWord.remoteRtcp, { address: "127.0.0.1", port: 7 });
    records.setNumber(record, LegNumber.sentPackets, 5);
    records.setNumber(record, LegNumber.sentOctets, 500);
    return {
      record,
      flow,
      task,
      plan: { clockRate, transport: { kind: "udp", rtcp: 0 } },
    } as unknown as RunningLeg;
  };
  flow.active = leg(SOURCE);
  flow.receivers = [leg(PLAIN), leg(MOVED, { plan: { isContinuous: true, ssrc: 0x77 } })];
  const words = records.words.subarray(MOVED * RECORD_WORDS);
  words[LegWord.source] = SOURCE;
  words[LegWord.ssrcIn] = 5;
  words[LegWord.timestampOffset] = 1_000;
  records.setFlag(MOVED, LegFlag.Synced);
  return flow;
}

function media(flow: RunningFlow, seq: number, timestamp: number): void {
  flow.rtcp.reception.onPacket(5, seq, timestamp, wallMs, flow.active!.plan.clockRate);
}

test("receivers of a source without reports are told the time in their own terms", () => {
  const flow = flowOf();
  media(flow, 1, 0);
  wallMs += 8_000;
  media(flow, 2, 720_000);
  wallMs += 500;
  relay().reportDown(flow, 0);

  expect(sent.map(({ leg }) => leg)).toEqual([PLAIN, MOVED]);
  const fields = sent.map(({ packet }) => [4, 16, 20, 24].map((at) => packet.readUInt32BE(at)));
  // Half a second after the last packet.
  expect(fields).toEqual([
    [5, 765_000, 5, 500],
    [0x77, 766_000, 5, 500],
  ]);
  const { packet } = sent[0]!;
  expect([packet[0], packet[1], packet.readUInt16BE(2)]).toEqual([0x80, 200, 6]);
  expect(packet.readUInt32BE(8) - 2_208_988_800).toBe(BEGUN_MS / 1000 + 8);
  expect(packet.readUInt32BE(12)).toBe(2 ** 31);
  expect(packet.subarray(28).toString("latin1")).toContain("here");
  expect(packet.readUInt32BE(32)).toBe(5);
});

test.each<[string, (flow: RunningFlow) => void]>([
  ["the source has not had time to report", () => (wallMs -= 5_000)],
  ["the source reports by itself", (flow) => flow.rtcp.reception.onSenderReport(1, 0)],
  ["the stream paused", () => (wallMs += 11_000)],
])("nothing is made up while %s", (_, change) => {
  const flow = flowOf();
  media(flow, 1, 0);
  wallMs += 8_000;
  media(flow, 2, 720_000);
  change(flow);
  relay().reportDown(flow, 0);
  expect(sent).toEqual([]);
});

test("nothing is made up where the clock rate is not known", () => {
  const flow = flowOf(0);
  media(flow, 1, 0);
  wallMs += 8_000;
  media(flow, 2, 720_000);
  relay().reportDown(flow, 0);
  expect(sent).toEqual([]);
});

test("another stream of the source has to be without reports by itself", () => {
  const flow = flowOf();
  flow.rtcp.reception.onPacket(9, 1, 0, wallMs, CLOCK_RATE);
  flow.rtcp.reception.onSenderReport(1, 0);
  wallMs += 8_000;
  media(flow, 1, 0);
  relay().reportDown(flow, 0);
  expect(sent).toEqual([]);
  wallMs += 8_000;
  media(flow, 2, 720_000);
  relay().reportDown(flow, 0);
  expect(sent.map(({ leg }) => leg)).toEqual([PLAIN, MOVED]);
});
