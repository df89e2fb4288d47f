// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type Load, offerLoad, type Site } from "./offer-load.ts";
import type { Profiler } from "./profiler.ts";
import { type Relay, withRelay } from "./running-relay.ts";

const WARM_UP_SECONDS = 2;

/** What one measurement found. */
export interface RelayCost {
  /** CPU, user and system, of all of the relay's threads per datagram that arrived. */
  readonly nsPerDatagram: number;
  readonly sent: number;
  readonly lost: number;
  /** How many CPUs the relay kept busy. */
  readonly cpus: number;
}

/**
 * What the relay spends while `load` lasts, after it was warmed up with the same load. Throws where it ended early,
 * passed nothing on or mixed streams.
 */
export function measureRelay(relay: Relay, load: Load, site: Site, profiler?: Profiler): Promise<RelayCost> {
  return withRelay(relay, async ({ pid, ports, cpuNs }) => {
    const warmUpSeconds = relay.warmUpSeconds ?? WARM_UP_SECONDS;
    if (warmUpSeconds > 0) await offerLoad(load, site, ports, warmUpSeconds);
    profiler?.start(pid, load.seconds);
    const before = cpuNs();
    const { sent, received } = await offerLoad(load, site, ports);
    const spent = cpuNs() - before;
    if (received === 0) throw new Error("it passed nothing on");
    return { nsPerDatagram: spent / received, sent, lost: sent - received, cpus: spent / load.seconds / 1e9 };
  });
}
