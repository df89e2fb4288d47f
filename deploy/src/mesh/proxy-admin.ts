// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { LiveStream } from "@msm/proxy";
import type { HostPort } from "./proxy-bootstrap.ts";

/** One media stream as the proxy's admin tells it at `/streams`; the place of its session in a worker is of no use here. */
export type ProxyStream = Omit<LiveStream, "filter" | "session" | "worker">;

/** One way of a stream into the proxy or out of it, as the admin tells it at `/flows`. */
export interface ProxyLeg {
  readonly id: string;
  readonly role: "source" | "receiver";
  readonly isEnabled: boolean;
  readonly transport: "udp" | "interleaved";
  readonly receivedDatagrams: number;
  readonly receivedBytes: number;
  readonly sentDatagrams: number;
  readonly sentBytes: number;
  /** Datagrams that were not sent, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** A stream that signalling opened, with its source and its readers. */
export interface ProxyFlow {
  readonly owner: string;
  readonly id: string;
  /** Its name; the statistics of `/streams` have it as `listener`. */
  readonly stream: string;
  readonly legs: readonly ProxyLeg[];
}

const TIMEOUT_MS = 3000;

/** Reads from a proxy's admin address. Every call throws when the proxy does not answer with 200 in three seconds. */
export class ProxyAdmin {
  readonly address: HostPort;

  constructor(address: HostPort) {
    this.address = address;
  }

  /** The body of a page, `/stats` for example. */
  async text(path: string): Promise<string> {
    const url = `http://${this.address}${path}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
    return response.text();
  }

  async streams(): Promise<readonly ProxyStream[]> {
    return JSON.parse(await this.text("/streams")) as readonly ProxyStream[];
  }

  async flows(): Promise<readonly ProxyFlow[]> {
    return JSON.parse(await this.text("/flows")) as readonly ProxyFlow[];
  }

  /** Whether the proxy says that it is live. */
  async isReady(): Promise<boolean> {
    return this.text("/ready").then(
      () => true,
      () => false,
    );
  }

  /** Sends a POST, for what changes something. */
  async post(path: string): Promise<string> {
    const url = `http://${this.address}${path}`;
    const response = await fetch(url, { method: "POST", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`POST ${url} answered ${response.status}: ${await response.text()}`);
    return response.text();
  }
}
