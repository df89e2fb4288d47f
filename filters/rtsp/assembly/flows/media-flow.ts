// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  changeFlow,
  closeFlow,
  FlowEvent,
  flowText,
  JsonWriter,
  monotonicMs,
  openFlow,
} from "@msm/filter-sdk/assembly/signalling";
import { wake } from "../waiter";
import { Leg } from "./leg";

/** How long the proxy may take to answer a change, in milliseconds; it takes one or two. */
const ANSWER_MS: i64 = 5_000;

/** Legs in one change, so that writing and reading them fits into a callback. */
const LEGS_AT_ONCE: i32 = 64;

const flows = new Map<u32, MediaFlow>();
const dirty: MediaFlow[] = [];
const json = new JsonWriter();

/**
 * One track on its way through the proxy: `Flow` of msm.flow.v1. Changes are sent by `flushFlows`, those of one callback
 * together, and one at a time: what changes while one is not answered goes with the next.
 */
export class MediaFlow {
  /** Why the last change failed. */
  failure: string = "";
  /** After how many seconds without a packet `isIdle` is set; 0 for never. */
  idleS: i64 = 0;
  isIdle: bool = false;
  private id: u32 = 0;
  private isOpened: bool = false;
  private isClosed: bool = false;
  private isDirty: bool = false;
  private changed: Leg[] = [];
  private removed: string[] = [];
  private asked: Leg[] = [];
  private askedRemoved: string[] = [];
  /** When the change was sent that is not answered; 0 where none is. */
  private askedAt: i64 = 0;

  constructor(private readonly stream: string) {}

  /** Adds a leg or changes it. Its waiter is told what came of it. */
  put(leg: Leg): void {
    leg.isFailed = false;
    if (!leg.isPending) this.changed.push(leg);
    leg.isPending = true;
    this.markDirty();
  }

  remove(leg: Leg): void {
    leg.isRemoved = true;
    leg.waiter = null;
    if (this.isClosed) return;
    if (leg.isPending) this.changed.splice(this.changed.indexOf(leg), 1);
    leg.isPending = false;
    if (!leg.isInstalled && !leg.isAsked) return;
    this.removed.push(leg.id);
    this.markDirty();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.id == 0) return;
    closeFlow(this.id);
    flows.delete(this.id);
  }

  /** Sends what changed, unless a change is under way. */
  flush(): void {
    this.isDirty = false;
    if (this.isClosed || this.askedAt != 0 || this.changed.length + this.removed.length == 0) return;
    this.asked = this.changed.splice(0, LEGS_AT_ONCE);
    this.askedRemoved = this.removed.splice(0, LEGS_AT_ONCE);
    for (let i = 0; i < this.asked.length; i++) {
      this.asked[i].isPending = false;
      this.asked[i].isAsked = true;
    }
    this.askedAt = monotonicMs();
    if (!this.send()) this.settle(false, "the proxy takes no more flows");
  }

  settle(isDone: bool, failure: string): void {
    if (this.askedAt == 0) return;
    this.askedAt = 0;
    this.failure = failure;
    const legs = this.asked;
    this.asked = [];
    let hasNew = false;
    for (let i = 0; i < legs.length; i++) {
      const leg = legs[i];
      leg.isAsked = false;
      if (isDone) leg.install(this.id);
      else if (!leg.isInstalled) {
        leg.isFailed = true;
        hasNew = true;
      }
    }
    // Without the new legs, one of which was refused, the rest of the change is tried again.
    if (!isDone && hasNew) this.restore(legs);
    if (this.changed.length + this.removed.length > 0) this.markDirty();
    for (let i = 0; i < legs.length; i++) tell(legs[i]);
  }

  checkAnswer(nowMs: i64): void {
    if (this.askedAt != 0 && nowMs - this.askedAt > ANSWER_MS)
      this.settle(false, "the proxy does not answer");
  }

  onEvent(event: FlowEvent): void {
    if (event == FlowEvent.Opened) {
      this.isOpened = true;
      this.settle(true, "");
    }
    if (event == FlowEvent.Idle) this.isIdle = true;
    if (event == FlowEvent.FirstPacket) this.isIdle = false;
    if (event != FlowEvent.Failed) return;
    const failure = flowText(this.id, "code") + ": " + flowText(this.id, "message");
    // A flow that never was installed is gone, and its number with it.
    if (!this.isOpened) {
      flows.delete(this.id);
      this.id = 0;
    }
    this.settle(false, failure);
  }

  private send(): bool {
    json.clear();
    json.beginObject();
    if (this.id == 0) json.textField("stream", this.stream);
    if (this.id == 0 && this.idleS > 0) json.textField("idle", this.idleS.toString() + "s");
    this.writeLegs("sources", true);
    this.writeLegs("receivers", false);
    if (this.id != 0) this.writeRemoved();
    json.endObject();
    if (this.id != 0) return changeFlow(this.id, json);
    this.id = openFlow(json);
    if (this.id != 0) flows.set(this.id, this);
    return this.id != 0;
  }

  private writeLegs(key: string, isSource: bool): void {
    json.key(key);
    json.beginArray();
    for (let i = 0; i < this.asked.length; i++) {
      if (this.asked[i].isSource == isSource) this.asked[i].write(json);
    }
    json.endArray();
  }

  private writeRemoved(): void {
    json.key("removed");
    json.beginArray();
    for (let i = 0; i < this.askedRemoved.length; i++) json.text(this.askedRemoved[i]);
    json.endArray();
  }

  private restore(legs: Leg[]): void {
    this.removed = this.askedRemoved.concat(this.removed);
    for (let i = 0; i < legs.length; i++) {
      const leg = legs[i];
      if (leg.isInstalled && !leg.isRemoved && !leg.isPending) {
        leg.isPending = true;
        this.changed.push(leg);
      }
    }
  }

  private markDirty(): void {
    if (this.isDirty || this.isClosed) return;
    this.isDirty = true;
    dirty.push(this);
  }
}

/** Sends what changed. To be called at the end of every callback. */
export function flushFlows(): void {
  for (let i = 0; i < dirty.length; i++) dirty[i].flush();
  dirty.length = 0;
}

/** Hands an event to its flow. */
export function onFlowEvent(id: u32, event: FlowEvent): void {
  if (flows.has(id)) flows.get(id).onEvent(event);
}

/** Gives up changes that are not answered. */
export function checkFlows(nowMs: i64): void {
  const all = flows.values();
  for (let i = 0; i < all.length; i++) all[i].checkAnswer(nowMs);
}

function tell(leg: Leg): void {
  const waiter = leg.waiter;
  if (waiter == null || leg.isPending) return;
  leg.waiter = null;
  wake(waiter);
}
