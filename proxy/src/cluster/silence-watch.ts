// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
/** When an endpoint that says nothing counts as failed; Envoy has no such thing. Plain data. */
export interface SilencePlan {
  /** Datagrams are sent to it, and none came back for so long; 0 never. */
  readonly responseMs: number;
  /** It has sessions and has sent, and nothing came for so long, whatever is sent to it; 0 never. */
  readonly streamMs: number;
}

/** What passed between an endpoint and its sessions, counted since its beginning. */
export interface EndpointTraffic {
  readonly receivedDatagrams: number;
  readonly sentDatagrams: number;
  readonly sessionsActive: number;
}

/** Watches one endpoint for silence: a state machine over its counters. Without sessions nothing is expected of it. */
export class SilenceWatch {
  #received: number;
  #sent: number;
  /** Whether it has sent since it last was without sessions, and when it did last. */
  #isHeard = false;
  #heardMs = 0;
  /** When the first datagram after that was sent to it; undefined where all were answered. */
  #unansweredMs: number | undefined;

  constructor({ receivedDatagrams, sentDatagrams }: EndpointTraffic) {
    this.#received = receivedDatagrams;
    this.#sent = sentDatagrams;
  }

  /** Takes over new counters. Returns whether the endpoint has been silent for too long; then it begins anew. */
  look(traffic: EndpointTraffic, { responseMs, streamMs }: SilencePlan, nowMs: number): boolean {
    const hasReceived = traffic.receivedDatagrams !== this.#received;
    const hasSent = traffic.sentDatagrams !== this.#sent;
    this.#received = traffic.receivedDatagrams;
    this.#sent = traffic.sentDatagrams;
    if (traffic.sessionsActive === 0) this.#forget();
    else if (hasReceived) {
      this.#isHeard = true;
      this.#heardMs = nowMs;
      this.#unansweredMs = undefined;
    } else if (hasSent) {
      this.#unansweredMs ??= nowMs;
    }
    // One datagram that gets no answer proves nothing: somebody still has to ask when the time is up.
    const isUnanswered = hasSent && isOver(this.#unansweredMs, responseMs, nowMs);
    const isQuiet = this.#isHeard && isOver(this.#heardMs, streamMs, nowMs);
    if (!isUnanswered && !isQuiet) return false;
    this.#forget();
    return true;
  }

  #forget(): void {
    this.#isHeard = false;
    this.#unansweredMs = undefined;
  }
}

function isOver(sinceMs: number | undefined, limitMs: number, nowMs: number): boolean {
  return limitMs > 0 && sinceMs !== undefined && nowMs - sinceMs >= limitMs;
}
