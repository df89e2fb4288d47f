// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { SOCKADDR_BYTES, writeSockaddr } from "../../datapath/sockaddr.ts";
import { createLegMemory, LegRecords, LegWord } from "../leg-records.ts";
import { acceptArrival, type Latched } from "./latch.ts";
import type { RunningLeg } from "./running-flow.ts";

const bytes = new Uint8Array(SOCKADDR_BYTES + 4);
const words = new Uint32Array(bytes.buffer);

/** A leg that learns, and what it makes of arrivals. */
class Latch {
  readonly records = new LegRecords(createLegMemory(1));
  nowMs = 10_000;
  readonly #leg: RunningLeg;

  constructor(latch: "NONE" | "ONCE" | "SSRC", latchFrom?: string) {
    const from = latchFrom === undefined ? undefined : new Uint32Array(8);
    if (from) writeSockaddr(new Uint8Array(from.buffer), 0, { address: latchFrom!, port: 0 });
    const transport = { kind: "udp", rtp: 0, rtcp: 1, latch };
    this.#leg = { record: 0, plan: { transport }, latchFrom: from } as unknown as RunningLeg;
  }

  hear(address: string, port: number, { ssrc = 5, rtcp = false } = {}): Latched {
    writeSockaddr(bytes, 0, { address, port });
    const arrival = { bytes, words, name: 0, ssrc, isOnRtcpPort: rtcp, datagrams: 1 };
    return acceptArrival(this.#leg, this.records, arrival, this.nowMs);
  }

  get remote() {
    return this.records.address(0, LegWord.remote);
  }

  get remoteRtcp() {
    return this.records.address(0, LegWord.remoteRtcp);
  }
}

describe("a leg", () => {
  test("without a latch takes nobody but its far end", () => {
    const leg = new Latch("NONE");
    leg.records.setAddress(0, LegWord.remote, { address: "192.0.2.1", port: 4 });
    expect([leg.hear("192.0.2.1", 4), leg.hear("192.0.2.1", 5), leg.hear("192.0.2.2", 4)]).toEqual([
      "known",
      "stranger",
      "stranger",
    ]);
  });

  test("that learns once stays with the first, for ever", () => {
    const leg = new Latch("ONCE");
    expect([leg.hear("2001:db8::1", 4), leg.hear("2001:db8::1", 4)]).toEqual(["learnt", "known"]);
    leg.nowMs += 1e6;
    expect([leg.hear("2001:db8::2", 4), leg.hear("2001:db8::1", 5)]).toEqual(["stranger", "stranger"]);
    expect(leg.remote).toEqual({ address: "2001:db8::1", port: 4 });
  });

  test("that may learn from one host only does so", () => {
    const leg = new Latch("ONCE", "192.0.2.1");
    expect([leg.hear("192.0.2.2", 4), leg.hear("192.0.2.1", 4)]).toEqual(["stranger", "learnt"]);
  });

  test("follows its SSRC to another address, but not while the old one speaks, and no other SSRC", () => {
    const leg = new Latch("SSRC");
    expect(leg.hear("192.0.2.1", 4)).toBe("learnt");
    leg.nowMs += 500;
    expect([leg.hear("192.0.2.9", 4), leg.hear("192.0.2.1", 4)]).toEqual(["stranger", "known"]);
    leg.nowMs += 1_000;
    expect([leg.hear("192.0.2.9", 4, { ssrc: 6 }), leg.hear("192.0.2.9", 4)]).toEqual(["stranger", "learnt"]);
    expect(leg.hear("192.0.2.1", 4)).toBe("stranger");
  });

  test("hears RTCP from the host of the media only, by default from the port above", () => {
    const leg = new Latch("ONCE");
    leg.hear("192.0.2.1", 4);
    expect(leg.remoteRtcp).toEqual({ address: "192.0.2.1", port: 5 });
    expect(leg.hear("192.0.2.2", 5, { rtcp: true })).toBe("stranger");
    expect(leg.hear("192.0.2.1", 77, { rtcp: true })).toBe("learnt");
    expect(leg.remoteRtcp).toEqual({ address: "192.0.2.1", port: 77 });
  });
});
