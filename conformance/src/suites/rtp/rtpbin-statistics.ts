// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { until } from "@msm/deploy";
import { ImpairmentRelay } from "../../impairment-relay.ts";
import type { Peer } from "../../runner/peer.ts";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { freePairs } from "./free-pairs.ts";
import { type MediaMesh, startMediaMesh } from "./media-mesh.ts";

const PACKETS = 610;
const DROP_EVERY = 20;
const DELAY_MS = 12;
const CLOCK_HZ = 8000;
const ROUND_TRIP_UNITS_PER_MS = 65.536;
/** The newest report may be older than the last loss. */
const LOSS_TOLERANCE = 2;
const JITTER_TOLERANCE = 0.2;

/** One SSRC as rtpbin.py tells it, by the names of GStreamer. */
interface Source {
  readonly ssrc: number;
  readonly "packets-received": number;
  readonly "packets-lost": number;
  readonly jitter: number;
  readonly "have-rb"?: boolean;
  readonly "rb-packetslost"?: number;
  readonly "rb-round-trip"?: number;
}

/** Losses are made on the way to the proxy, so that it and the receiver behind it see the same stream. */
export const rtpbinStatistics: Scenario = {
  title:
    "loss, jitter and round trip are what GStreamer finds, one in twenty packets lost and RTCP both ways",
  run: async (context) => {
    const media = await startMediaMesh(context);
    const { relay, rtcpRelay } = await startRelays(context, media);
    const receiver = startRtpbin(context, "receive", ["--port", media.viewer.audio]);
    await until("rtpbin was ready to receive", () => receiver.stdout.includes("ready"));
    const [from] = await freePairs(1);
    const ports = ["--to-rtp", relay.port, "--to-rtcp", rtcpRelay.port, "--from-port", from!];
    const sender = startRtpbin(context, "send", [...ports, "--packets", PACKETS]);
    await until("all packets had come to the relay", () => relay.counts.received >= PACKETS, 30_000);
    const { dropped } = relay.counts;
    // The reports that go back through the proxy tell the same loss, and a round trip once one answered another.
    const proxied = await until("the far end's reports had come by", async () => {
      const stream = (await media.mesh.admin.streams()).find(({ packets }) => packets >= PACKETS - dropped);
      const isReported =
        stream?.far?.roundTripMs != null && stream.far.cumulativeLost >= dropped - LOSS_TOLERANCE;
      return isReported && stream;
    });
    const received = await finish(receiver);
    const sent = await finish(sender);
    const stream = received.sources.find(({ ssrc }) => ssrc === proxied.ssrc);
    const report = sent.sources.find((source) => source["have-rb"] === true);
    assert.ok(stream, "GStreamer received another SSRC than the proxy");
    assert.ok(report, "no receiver report came back to the sender");
    const jitterMs = (stream.jitter * 1000) / CLOCK_HZ;
    const roundTripMs = report["rb-round-trip"]! / ROUND_TRIP_UNITS_PER_MS;
    const theirs = `GStreamer: lost ${stream["packets-lost"]}, jitter ${jitterMs.toFixed(2)} ms`;
    context.note(`${dropped} of ${PACKETS} dropped; ${theirs}, round trip ${roundTripMs.toFixed(2)} ms`);
    context.note(`proxy: ${JSON.stringify(proxied)}`);
    near(proxied.lost, stream["packets-lost"], LOSS_TOLERANCE, "packets lost, against the receiver's RTCP");
    near(proxied.lost, received.jitterbufferLost, LOSS_TOLERANCE, "packets lost, against the jitter buffer");
    near(proxied.lost, dropped, 0, "packets lost, against what the relay dropped");
    near(report["rb-packetslost"]!, dropped, LOSS_TOLERANCE, "packets lost, as reported to the sender");
    near(proxied.jitterMs, jitterMs, JITTER_TOLERANCE * jitterMs, "jitter in ms");
    assert.ok(roundTripMs > 0 && roundTripMs < 1000, `round trip of the sender: ${roundTripMs} ms`);
  },
};

/** A relay for RTP and one for RTCP, which go on from neighbouring ports as a sender's own would. */
async function startRelays(context: ScenarioContext, { gateway }: MediaMesh) {
  const [upstreamPort] = (await freePairs(1)) as [number];
  const relay = await ImpairmentRelay.start({
    target: { address: "127.0.0.1", port: gateway.audio },
    dropEvery: DROP_EVERY,
    delayEverySecondMs: DELAY_MS,
    upstreamPort,
  });
  const rtcpRelay = await ImpairmentRelay.start({
    target: { address: "127.0.0.1", port: gateway.audio + 1 },
    upstreamPort: upstreamPort + 1,
  });
  context.defer(() => relay.close());
  context.defer(() => rtcpRelay.close());
  return { relay, rtcpRelay };
}

function startRtpbin(
  context: ScenarioContext,
  role: "send" | "receive",
  args: readonly (string | number)[],
): Peer {
  const script = fileURLToPath(new URL("../../../peers/rtpbin.py", import.meta.url));
  return context.startPeer({
    name: role,
    // Debian's Python has the binding; another one first in the path may not.
    command: "/usr/bin/python3",
    args: [script, role, ...args.map(String)],
    timeoutMs: 50_000,
    folder: context.folder,
  });
}

/** Stops a peer and reads the JSON of its last line. */
async function finish(
  peer: Peer,
): Promise<{ readonly sources: readonly Source[]; readonly jitterbufferLost: number }> {
  const { stdout } = await peer.stop();
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Awaited<ReturnType<typeof finish>>;
}

function near(actual: number, expected: number, tolerance: number, what: string): void {
  const message = `${what}: ${actual}, expected ${expected} ± ${tolerance}`;
  assert.ok(Math.abs(actual - expected) <= tolerance, message);
}
