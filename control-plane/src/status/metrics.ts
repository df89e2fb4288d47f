// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { StoreState } from "../mesh/resource-store.ts";
import type { Refusal } from "../refusal.ts";
import type { Response } from "../server/protocol.ts";
import type { Notice, StreamInfo, StreamObserver } from "../server/stream-observer.ts";

/** The control plane's metrics, in a registry of their own so that several can run in one process. */
export class Metrics implements StreamObserver {
  readonly registry = new Registry();
  readonly #connected = this.#gauge("msm_xds_connected_proxies", "Open xDS streams.", []);
  readonly #pushes = this.#counter("msm_xds_pushes_total", "xDS responses sent.", ["type"]);
  readonly #acks = this.#counter("msm_xds_acks_total", "xDS responses that a proxy accepted.", ["type"]);
  readonly #nacks = this.#counter("msm_xds_nacks_total", "xDS responses that a proxy refused.", ["type"]);
  readonly #stalls = this.#counter(
    "msm_xds_stalled_streams_total",
    "Streams ended for want of an answer.",
    [],
  );
  readonly #notices = this.#counter("msm_xds_notices_total", "Oddities on xDS streams.", ["kind"]);
  readonly #open = new Set<number>();
  readonly #refusals = this.#counter("msm_config_refusals_total", "Refusals of configuration, each once.", [
    "code",
  ]);
  readonly #refused = this.#gauge("msm_config_refused", "Refusals that stand now.", ["code"]);
  readonly #resources = this.#gauge("msm_config_resources", "Resources read.", ["kind", "accepted"]);
  readonly #reloads = new Histogram({
    name: "msm_config_reload_duration_seconds",
    help: "From a change having been read to its snapshot.",
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
    registers: [this.registry],
  });

  /** Counts one change: how long it took, what stands, and which refusals are new with it. */
  reloaded(seconds: number, state: StoreState, fresh: readonly Refusal[]): void {
    this.#reloads.observe(seconds);
    for (const { code } of fresh) this.#refusals.inc({ code });
    this.#refused.reset();
    for (const { code } of state.refusals) this.#refused.inc({ code });
    this.#resources.reset();
    for (const [kind, { accepted, refused }] of countByKind(state)) {
      if (accepted > 0) this.#resources.set({ kind, accepted: "true" }, accepted);
      if (refused > 0) this.#resources.set({ kind, accepted: "false" }, refused);
    }
  }

  opened({ id }: StreamInfo): void {
    this.#open.add(id);
    this.#connected.set(this.#open.size);
  }

  noticed(_stream: StreamInfo, { kind }: Notice): void {
    this.#notices.inc({ kind });
  }

  sent(_stream: StreamInfo, { typeUrl }: Response): void {
    this.#pushes.inc({ type: shortType(typeUrl) });
  }

  accepted(_stream: StreamInfo, typeUrl: string, nonce: string): void {
    if (nonce !== "") this.#acks.inc({ type: shortType(typeUrl) });
  }

  refused(_stream: StreamInfo, typeUrl: string): void {
    this.#nacks.inc({ type: shortType(typeUrl) });
  }

  stalled(): void {
    this.#stalls.inc();
  }

  closed({ id }: StreamInfo): void {
    this.#open.delete(id);
    this.#connected.set(this.#open.size);
  }

  #counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Gauge<Label> {
    return new Gauge({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }
}

function countByKind({ statuses }: StoreState) {
  const counts = new Map<string, { accepted: number; refused: number }>();
  for (const { id, refusals, isDeleted } of statuses) {
    if (isDeleted) continue;
    const count = counts.get(id.kind) ?? { accepted: 0, refused: 0 };
    counts.set(id.kind, count);
    if (refusals.length === 0) count.accepted++;
    else count.refused++;
  }
  return counts;
}

// `Listener` says as much as its type URL. Only types that we serve are ever sent, so labels are few.
function shortType(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
}
