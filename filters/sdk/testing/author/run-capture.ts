// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { FilterHarness } from "../filter-harness.ts";
import type { CapturedDatagram } from "./pcap.ts";

/** What a filter did with one datagram of a capture. */
export interface CaptureStep {
  readonly datagram: CapturedDatagram;
  /** In words: passed, changed, dropped (reason n), taken, sent 30 bytes to the client. */
  readonly what: string;
}

/** What came of a capture. */
export interface CaptureResult {
  readonly steps: readonly CaptureStep[];
  /** The datagrams that went on, as the filter left them, with those that it added. */
  readonly out: readonly CapturedDatagram[];
}

const ACTIONS = ["passed", "paused", "dropped", "taken", "sent back"];
const NS_PER_MS = 1e6;

/**
 * Runs a capture through a filter, datagram by datagram, on a clock that follows the capture's. The first datagram of
 * two addresses opens their session and comes from its client.
 */
export function runCapture(filter: FilterHarness, capture: readonly CapturedDatagram[]): CaptureResult {
  const sessions = new Map<string, { readonly index: number; readonly first: CapturedDatagram }>();
  const steps: CaptureStep[] = [];
  const out: CapturedDatagram[] = [];
  let lastNs = capture[0]?.timeNs ?? 0n;
  for (const datagram of capture) {
    const { source, destination, timeNs } = datagram;
    const key = [source, destination].sort().join(" ");
    const session = sessions.get(key) ?? { index: sessions.size, first: datagram };
    sessions.set(key, session);
    const from = source === session.first.source ? "client" : "endpoint";
    const late = filter.tick(Math.max(0, Number(timeNs - lastNs) / NS_PER_MS));
    if (timeNs > lastNs) lastNs = timeNs;
    const result = filter.run([datagram.payload], { from, session: session.index });
    const payload = result.payloads[0]!;
    const isOn = result.actions[0] === 0;
    steps.push({
      datagram,
      what: describe(result.actions[0]!, result.reasons[0]!, datagram.payload, payload),
    });
    if (isOn) out.push({ ...datagram, payload });
    for (const sent of [...late, ...result.sent]) {
      const peer = [...sessions.values()][sent.session]!.first;
      steps.push({
        datagram,
        what: `sent ${sent.payload.length} bytes to the ${sent.toClient ? "client" : "endpoint"}`,
      });
      out.push({ ...(sent.toClient ? turned(peer) : peer), timeNs: lastNs, payload: sent.payload });
    }
  }
  return { steps, out };
}

function describe(action: number, reason: number, before: Uint8Array, after: Uint8Array): string {
  if (action === 2) return `dropped (reason ${reason})`;
  if (action !== 0) return ACTIONS[action] ?? `action ${action}`;
  return Buffer.compare(before, after) === 0 ? "passed" : `changed to ${after.length} bytes`;
}

/** The packet the other way: addresses and ports exchanged. */
function turned(datagram: CapturedDatagram): CapturedDatagram {
  const packet = datagram.packet.slice();
  const [at, size] = packet[0]! >> 4 === 4 ? [12, 4] : [8, 16];
  const ports = packet[0]! >> 4 === 4 ? (packet[0]! & 15) * 4 : 40;
  packet.set(datagram.packet.subarray(at + size, at + 2 * size), at);
  packet.set(datagram.packet.subarray(at, at + size), at + size);
  packet.set(datagram.packet.subarray(ports + 2, ports + 4), ports);
  packet.set(datagram.packet.subarray(ports, ports + 2), ports + 2);
  return { ...datagram, packet, source: datagram.destination, destination: datagram.source };
}
