// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A packet as tshark tells of it. */
export interface SharkPacket {
  /** Since 1970. */
  readonly ns: bigint;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Hexadecimal. */
  readonly payload: string;
  /** Length on the wire, headers included. */
  readonly bytes: number;
}

const FIELDS = ["frame.time_epoch", "udp.srcport", "udp.dstport", "udp.payload", "frame.len"];
const OUTPUT_BYTES = 64 << 20;

/** Reads the packets of a capture by tshark. Throws with what it said where the file is damaged. */
export async function readPackets(file: string): Promise<readonly SharkPacket[]> {
  const args = ["-n", "-r", file, "-T", "fields", ...FIELDS.flatMap((field) => ["-e", field])];
  const { stdout } = await run("tshark", args, { maxBuffer: OUTPUT_BYTES });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [time = "", source, destination, payload = "", bytes] = line.split("\t");
      const [seconds = "", fraction = ""] = time.split(".");
      const ns = BigInt(seconds + fraction.padEnd(9, "0").slice(0, 9));
      const ports = { sourcePort: Number(source), destinationPort: Number(destination) };
      return { ns, ...ports, payload, bytes: Number(bytes) };
    });
}

/** How many packets tshark finds in a capture. Throws where it is damaged. */
export async function countPackets(file: string): Promise<number> {
  const { stdout } = await run("tshark", ["-n", "-r", file, "-T", "fields", "-e", "frame.number"], {
    maxBuffer: OUTPUT_BYTES,
  });
  return stdout.trimEnd().split("\n").length;
}
