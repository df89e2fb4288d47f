// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Peer, type PeerOptions } from "../../runner/peer.ts";
import { makeFile, startGstreamerServer } from "../../suites/rtsp/sources.ts";
import type { RtspRelay, RunningRelay } from "./relays.ts";

/** Readers of one stream; the words of conformance/load/rtspreaders.c. */
export interface Readers {
  readonly count: number;
  readonly how: "udp" | "tcp" | "setup";
  /** For how long all of them read. */
  readonly seconds: number;
  /** So many have set up a session and left before anything is measured, for a relay that compiles what is often used. */
  readonly before?: number;
}

/** USER_HZ: the unit of the times in /proc/PID/stat. */
const MS_PER_TICK = 10;
const FILE = { seconds: 90, framesPerSecond: 25, kilobitsPerSecond: 4000 };
const LIMIT_MS = 80_000;
/** Readers before those that are measured come and go together, so many at a time. */
const BATCH = 500;

/** Starts a source and the relay, lets readers come, and returns the bench's figures; 0 where there is nothing to measure. */
export async function withSource(
  relay: RtspRelay,
  readers: Readers,
  program: string,
): Promise<readonly number[]> {
  const folder = mkdtempSync(join(tmpdir(), "msm-bench-"));
  const peers: Peer[] = [];
  const startPeer = (options: PeerOptions): Peer => {
    const peer = new Peer(options);
    peers.push(peer);
    return peer;
  };
  let running: RunningRelay | undefined;
  try {
    const file = await makeFile({ folder, startPeer }, FILE);
    const source = await startGstreamerServer(
      { folder, startPeer },
      { name: "source", file, streams: ["a"] },
    );
    running = await relay.start(source.port, folder);
    return await measure(running, readers, program);
  } finally {
    await running?.stop();
    await Promise.all(peers.map((peer) => peer.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(relay: RunningRelay, readers: Readers, program: string): Promise<readonly number[]> {
  for (let left = readers.before ?? 0; left > 0; left -= BATCH) {
    const args = [String(relay.port), relay.path, String(Math.min(left, BATCH)), "setup", "0"];
    await once(spawn(program, args, { stdio: "ignore", timeout: LIMIT_MS }), "close");
  }
  const args = [String(relay.port), relay.path, String(readers.count), readers.how, String(readers.seconds)];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], timeout: LIMIT_MS });
  let errors = "";
  child.stderr.on("data", (text: Buffer) => {
    errors += text;
  });
  const ended = once(child, "close");
  const before = cpuMs(relay.pid);
  const lines: string[] = [];
  let joinedMs = before;
  for await (const line of createInterface({ input: child.stdout })) {
    if (lines.push(line) === 1) joinedMs = cpuMs(relay.pid);
  }
  const after = cpuMs(relay.pid);
  await ended;
  const [joined, received] = lines;
  if (joined === undefined || received === undefined) throw new Error(`rtspreaders: ${errors}`);
  const packets = numberAfter(received, "received");
  const lost = numberAfter(received, "lost");
  if (numberAfter(received, "silent") > 0 && readers.how !== "setup")
    throw new Error(`silent readers: ${received}`);
  return [
    numberAfter(joined, "p50"),
    numberAfter(joined, "p95"),
    numberAfter(joined, "requests") / numberAfter(joined, "seconds"),
    // Of those that play, media that flow meanwhile are in it.
    (joinedMs - before) / readers.count,
    packets === 0 ? 0 : ((after - before) * 1000) / packets,
    packets === 0 ? 0 : (100 * lost) / (packets + lost),
  ];
}

/** User and system time of all threads of a process. */
function cpuMs(pid: number): number {
  // Fields 14 and 15, counted from behind the program's name, which may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop()!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

function numberAfter(text: string, word: string): number {
  return Number(text.match(new RegExp(`${word} ([\\d.-]+)`))?.[1] ?? 0);
}
