// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { FlowService } from "../flow/flow-service.ts";
import type {
  EndpointPlan,
  ListenerPlan,
  Plan,
  PlanRejection,
  SignallingPlan,
  SocketAddress,
} from "../plan.ts";
import type { Sample } from "../stats/sample.ts";
import type { StreamReport } from "../wasm/stream-report.ts";

/** A listener as it runs: its plan and the address that it got. */
export interface LiveListener {
  readonly plan: ListenerPlan | SignallingPlan;
  /** `udp` unless said. */
  readonly protocol?: "udp" | "tcp";
  readonly localAddress: SocketAddress;
  /** Receive buffer in bytes that the kernel granted, per worker; only where datagrams are received. */
  readonly receiveBufferBytes?: number;
}

/** A stream that a filter reports, with where it was seen. */
export interface LiveStream extends StreamReport {
  readonly listener: string;
  readonly filter: string;
  readonly worker: number;
  /** The downstream client, `ip:port` (IPv6 in brackets), and the endpoint of its session. */
  readonly client: string;
  readonly endpoint: string;
  /** Of a flow's stream: who sends it, `ip:port`. */
  readonly source?: string;
}

/** An endpoint as the datapath has it, with its sessions over all workers. */
export interface LiveEndpoint {
  readonly cluster: string;
  readonly plan: EndpointPlan;
  readonly sessionsActive: number;
  readonly sessionsTotal: number;
  /** Errors of its sessions' sockets, such as that nobody listens there (ICMP port unreachable). */
  readonly errors: number;
  /** Datagrams of its sessions from it and to it. */
  readonly receivedDatagrams: number;
  readonly sentDatagrams: number;
  /** Results that signalling filters reported: answers below 500, answers from there on, and no answer. */
  readonly successes: number;
  readonly serverErrors: number;
  readonly connectFailures: number;
  /** How often failures in a row were as many as its outlier detection takes. */
  readonly verdicts: number;
}

/** What the main thread sees of the threads that move datagrams. */
export interface Datapath {
  /** Name of the I/O backend in use, e.g. `mmsg`. */
  readonly io: string;
  readonly concurrency: number;
  /**
   * Makes the datapath follow `plan`. Resolves when every worker has it. Listeners that could not be opened are
   * returned; where such a listener ran before, it runs on as it was.
   */
  apply(plan: Plan): Promise<readonly PlanRejection[]>;
  listeners(): readonly LiveListener[];
  /** The flows that signalling opens; those of plans' listeners are sessions. */
  readonly flowService: FlowService;
  /** The endpoints of the clusters that are named, or of every one, read without disturbing the workers. */
  endpoints(clusters?: ReadonlySet<string>): readonly LiveEndpoint[];
  /** The endpoints of each cluster without what was counted: the same list as long as the cluster is the same. */
  members(): ReadonlyMap<string, readonly EndpointPlan[]>;
  /** Counters and gauges, read without disturbing the workers. */
  samples(): readonly Sample[];
  /** Asks the filters of every worker for their streams; a worker that does not answer in time is left out. */
  streams(): Promise<readonly LiveStream[]>;
  /** Lets a worker fail, to see that it is rebuilt. Returns false where there is no such worker. */
  fail(worker: number, how: "throw" | "spin"): boolean;
  close(): Promise<void>;
}
