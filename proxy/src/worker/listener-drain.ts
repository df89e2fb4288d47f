// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { ListenerPlan, Plan, PlanRejection, SignallingPlan } from "../plan.ts";

/** Envoy's `--drain-time-s` where nobody sets it, in milliseconds. */
export const DRAIN_TIME_MS = 600_000;

/** Which listeners end, and how; the query of Envoy's `/drain_listeners`. */
export interface DrainOrder {
  /** What goes on there may go on for the drain time; otherwise it ends at once. */
  readonly isGraceful: boolean;
  /** Whether they stay open when the drain time is over. */
  readonly staysOpen: boolean;
  /** Only listeners whose `traffic_direction` is INBOUND. */
  readonly inboundOnly: boolean;
}

type AnyListener = ListenerPlan | SignallingPlan;

/**
 * Lets listeners end: first they take nobody new, then their ports are closed, with what is left there. What was drained
 * stays so, also with plans that come later: nothing takes it back but a new start.
 */
export class ListenerDrain {
  readonly #apply: (plan: Plan) => Promise<readonly PlanRejection[]>;
  readonly #drainTimeMs: number;
  readonly #drained = new WeakMap<AnyListener, AnyListener>();
  /** By `inboundOnly` of their order: what closes its listeners when the time is over. */
  readonly #timers = new Map<boolean, NodeJS.Timeout>();
  #plan: Plan | undefined;
  #isDraining: (listener: AnyListener) => boolean = () => false;
  #isClosed: (listener: AnyListener) => boolean = () => false;

  /** `apply` makes the datapath follow a plan. */
  constructor(apply: (plan: Plan) => Promise<readonly PlanRejection[]>, drainTimeMs: number = DRAIN_TIME_MS) {
    this.#apply = apply;
    this.#drainTimeMs = drainTimeMs;
  }

  /** Makes the datapath follow a plan, as far as its listeners do not end. */
  apply(plan: Plan): Promise<readonly PlanRejection[]> {
    this.#plan = plan;
    return this.#follow();
  }

  /** Resolves when the listeners take nobody new, or are closed where the order is not graceful. */
  async drain({ isGraceful, staysOpen, inboundOnly }: DrainOrder): Promise<void> {
    const before = { isDraining: this.#isDraining, isClosed: this.#isClosed };
    const isMeant = (listener: AnyListener): boolean => !inboundOnly || listener.isInbound === true;
    this.#isDraining = (listener) => before.isDraining(listener) || isMeant(listener);
    if (!isGraceful) this.#isClosed = (listener) => before.isClosed(listener) || isMeant(listener);
    else if (!staysOpen) this.#closeLater(inboundOnly);
    await this.#follow();
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  /** The first order counts: repeating it gives nobody more time. */
  #closeLater(inboundOnly: boolean): void {
    if (this.#timers.has(inboundOnly)) return;
    const timer = setTimeout(() => {
      // What cannot be closed goes on as it is: nobody is there to be told.
      this.drain({ isGraceful: false, staysOpen: false, inboundOnly }).catch(() => {});
    }, this.#drainTimeMs).unref();
    this.#timers.set(inboundOnly, timer);
  }

  async #follow(): Promise<readonly PlanRejection[]> {
    const plan = this.#plan;
    if (plan === undefined) return [];
    const left = <Listener extends AnyListener>(
      listeners: readonly Listener[],
      change: (listener: Listener) => Listener,
    ): readonly Listener[] =>
      listeners
        .filter((listener) => !this.#isClosed(listener))
        .map((listener) => (this.#isDraining(listener) ? this.#once(listener, change) : listener));
    const listeners = left(plan.listeners, (listener) => ({
      ...listener,
      limits: { ...listener.limits, isDraining: true },
    }));
    const signalling = plan.signalling && left(plan.signalling, (each) => ({ ...each, maxConnections: 0 }));
    return this.#apply({ ...plan, listeners, ...(signalling === undefined ? {} : { signalling }) });
  }

  /** The same for the same: who gets a listener anew would have to change it. */
  #once<Listener extends AnyListener>(
    listener: Listener,
    change: (listener: Listener) => Listener,
  ): Listener {
    const known = this.#drained.get(listener) as Listener | undefined;
    const drained = known ?? change(listener);
    this.#drained.set(listener, drained);
    return drained;
  }
}
