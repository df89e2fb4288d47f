// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { Action, DESCRIPTOR_WORDS, Flag, Word } from "../../datapath/batch.ts";
import type { LiveStream } from "../../datapath/datapath.ts";
import { type Ring, SLOTS, SlotState } from "../../datapath/ring.ts";
import { MOST_COPIED } from "../../io/copy-sender.ts";
import type { WorkerIo } from "../../io/io-backend.ts";
import { FIRST_SESSION_CONTEXT } from "../../wasm/abi.ts";
import type { Outgoing } from "../../wasm/detour.ts";
import type { FilterChain } from "../../wasm/filter-chain.ts";
import type { FilterEnvironment } from "../../wasm/filter-environment.ts";
import type { InterleavedRing } from "../interleaved-ring.ts";
import { LegDrop, type LegRecords } from "../leg-records.ts";
import { isRtcp, isRtp } from "../rtp-header.ts";
import { trunkConnection, trunkFlow, trunkSource } from "../trunk.ts";
import type { FlowUpdate, WorkerFlowEvent } from "../worker-flow.ts";
import { Arrivals, Kind } from "./arrivals.ts";
import { copyPacket } from "./copy-packet.ts";
import { FanOut } from "./fan-out.ts";
import { FlowChains } from "./flow-chains.ts";
import { FlowRtcp, RtcpRelay } from "./flow-rtcp.ts";
import { FlowTable, setOrigin } from "./flow-table.ts";
import { FlowTimers } from "./flow-timers.ts";
import { liveStream } from "./live-stream.ts";
import { ReceiverStage } from "./receiver-stage.ts";
import { RingLinks, type WorkerLink } from "./ring-links.ts";
import type { RunningFlow, RunningLeg } from "./running-flow.ts";

/** Packets that are taken from a ring in a turn before sockets are looked at again: a worker that is behind has turns, too. */
const MOST_FROM_RING = 8 * SLOTS;

/** What the flows of a worker are made of. */
export interface FlowWorkerParts {
  readonly ring: Ring;
  readonly legs: LegRecords;
  readonly io: WorkerIo;
  readonly environment: FilterEnvironment;
  readonly onFlowEvent: (event: WorkerFlowEvent) => void;
}

/** What one datapath worker does with the datagrams of its flows: from source to chain to receivers, batch by batch. */
export class FlowWorker {
  readonly #parts: FlowWorkerParts;
  readonly #ring: Ring;
  readonly #records: LegRecords;
  readonly #chains: FlowChains;
  readonly #table: FlowTable;
  readonly #links: RingLinks;
  readonly #stage: ReceiverStage;
  readonly #fanOut: FanOut;
  readonly #rtcp: RtcpRelay;
  readonly #timers: FlowTimers;
  readonly #arrivals: Arrivals;
  #nowMs = 0;
  /** Whether filters have something to send that is not in the ring. */
  #isLeaving = false;
  /** Whether rings hold something that was left there for the next turn. */
  #isBehind = false;
  /** The wall clock at the wake-up, for what comes through rings. */
  #rxLow = 0;
  #rxHigh = 0;

  constructor(parts: FlowWorkerParts) {
    this.#parts = parts;
    this.#ring = parts.ring;
    this.#records = parts.legs;
    this.#chains = new FlowChains(parts.environment);
    const cname = randomBytes(12).toString("base64");
    const createRtcp = () => new FlowRtcp(randomBytes(4).readUInt32BE(), cname);
    this.#table = new FlowTable(parts.legs, parts.io, this.#chains, createRtcp);
    this.#links = new RingLinks((eventfd) => parts.io.wakeOther(eventfd));
    this.#stage = new ReceiverStage({
      records: parts.legs,
      copies: parts.io.copies,
      links: this.#links,
      onRun: (chain) => this.#onRun(chain),
    });
    this.#fanOut = new FanOut(parts.ring, parts.legs, parts.io.copies, this.#links, this.#stage);
    this.#rtcp = new RtcpRelay(
      parts.legs,
      parts.io.copies,
      this.#links,
      this.#stage,
      Math.random,
      () => Number(parts.environment.wallNs() / 1000n) / 1000,
    );
    this.#timers = new FlowTimers(parts, this.#table, this.#chains, this.#rtcp);
    this.#arrivals = new Arrivals({
      ...parts,
      table: this.#table,
      rtcp: this.#rtcp,
      timers: this.#timers,
      stage: this.#stage,
    });
  }

  /** Takes over what changed, between batches. */
  apply(update: FlowUpdate, nowMs: number): void {
    this.#table.apply(update, nowMs);
    this.#timers.notBefore(nowMs);
  }

  /** Does what is due by the clock. The ring's batch is empty. Returns when to come again, in milliseconds of the clock. */
  onTurn(nowMs: number): number {
    if (this.#isBehind) this.onWake(nowMs);
    if (nowMs >= this.#timers.nextMs) {
      this.#nowMs = nowMs;
      this.#timers.run(nowMs);
      this.#sendOutgoing();
      this.#flush();
    }
    return this.#isBehind ? nowMs : this.#timers.nextMs;
  }

  /** What the filters tell of their streams. */
  streams(worker: number): readonly LiveStream[] {
    return [...this.#chains.all()].flatMap((chain) =>
      chain.streams().flatMap((stream) => {
        const flow = this.#table.flows[stream.session];
        return flow?.chain === chain ? [liveStream(stream, flow, this.#records, worker)] : [];
      }),
    );
  }

  setLink(link: WorkerLink): void {
    this.#links.set(link);
    if (typeof link.bell === "object") this.#parts.io.watchPort(link.bell);
  }

  removeLink(attachment: number): void {
    this.#links.remove(attachment);
  }

  /** The ring holds datagrams from media sockets. */
  onMedia(nowMs: number): void {
    this.#nowMs = nowMs;
    const ring = this.#ring;
    for (let slot = 0; slot < ring.slots; slot++) {
      const socket = this.#table.socket(ring.session[slot]!);
      if (socket === undefined || !this.#arrivals.fromSocket(slot, socket, nowMs)) this.#drop(slot);
    }
    this.#pass();
    if (this.#isLeaving) this.#sendOutgoing();
    this.#flush();
  }

  /** Rings between this worker and other threads may hold something. The batch is empty. */
  onWake(nowMs: number): void {
    this.#nowMs = nowMs;
    const rxNs = this.#parts.environment.wallNs();
    this.#rxLow = Number(rxNs & 0xffff_ffffn);
    this.#rxHigh = Number(rxNs >> 32n);
    this.#isBehind = this.#links.drain((attachment, ring) => this.#drain(attachment, ring));
    if (this.#ring.slots > 0) this.#passInterleaved();
    this.#flush();
  }

  #flush(): void {
    this.#parts.io.copies.flush();
    this.#links.flush();
  }

  /** Takes what is in a ring; returns whether something was left there. */
  #drain(attachment: number, from: InterleavedRing): boolean {
    const ring = this.#ring;
    for (let taken = 0; taken < MOST_FROM_RING; taken++) {
      if (!from.next()) return false;
      const leg = this.#legOf(attachment, from);
      if (leg === undefined) {
        from.drop(1);
        continue;
      }
      const slot = ring.slots;
      copyPacket(ring, ring.payload(slot), from, from.start, from.length);
      ring.add(from.length, from.length, 0, this.#rxLow, this.#rxHigh);
      if (!this.#arrivals.fromChannel(slot, leg, from.channel, this.#nowMs)) this.#drop(slot);
      if (ring.slots === SLOTS) this.#passInterleaved();
    }
    return true;
  }

  /** Whose packet it is that was found in a ring. */
  #legOf(attachment: number, { connection, channel }: InterleavedRing): RunningLeg | undefined {
    if (attachment >= 0) return this.#table.interleaved(attachment, connection, channel);
    const leg = this.#table.interleaved(attachment, trunkConnection(trunkFlow(connection), 0), channel);
    if (leg?.plan.role !== "source" || leg.flow.origin === trunkSource(connection)) return leg;
    // The flow switched to another source: what is of the one before leaves as that.
    if (this.#ring.slots > 0) this.#passInterleaved();
    setOrigin(leg.flow, trunkSource(connection));
    return leg;
  }

  #drop(slot: number): void {
    this.#arrivals.legOf[slot] = undefined;
    this.#ring.slotState[slot] = SlotState.Dropped;
  }

  #passInterleaved(): void {
    this.#pass();
    if (this.#isLeaving) this.#sendOutgoing();
    this.#ring.clear();
  }

  /** Runs what is left in the ring through the chains of its flows, and sends it on. */
  #pass(): void {
    const ring = this.#ring;
    for (let slot = 0, end = 0; slot < ring.slots; slot = end) {
      const chain = this.#arrivals.legOf[slot]?.flow.chain;
      for (end = slot + 1; end < ring.slots && this.#arrivals.legOf[end]?.flow.chain === chain; ) end++;
      if (chain === undefined) continue;
      if (!chain.isEmpty) this.#runChain(chain, slot, end);
      this.#sendOn(slot, end);
    }
  }

  #runChain(chain: FilterChain, first: number, end: number): void {
    const ring = this.#ring;
    let count = 0;
    for (let slot = first; slot < end; slot++) {
      ring.describe(slot, this.#arrivals.legOf[slot]!.flow.number + FIRST_SESSION_CONTEXT);
      count += ring.descriptorCount[slot]!;
    }
    if (chain.run(ring, ring.firstDescriptor[first]!, count, false, this.#nowMs * 1e6))
      ring.slotState.fill(SlotState.Apart, first, end);
    this.#onRun(chain);
  }

  /** A filter may have set a timer, or added something. */
  #onRun(chain: FilterChain): void {
    this.#timers.chainDue(chain.nextMs);
    if (chain.hasOutgoing) this.#isLeaving = true;
  }

  /** Sends what filters added, held or let go on. By the ring, whose own batch was sent and is forgotten. */
  #sendOutgoing(): void {
    this.#isLeaving = false;
    const ring = this.#ring;
    ring.clear();
    for (const chain of this.#chains.all()) {
      if (!chain.hasOutgoing) continue;
      // A flow is its owner's to close, not a filter's.
      chain.takeCloseRequests();
      if (chain.outgoing !== null) this.#stageOutgoing(chain, chain.outgoing);
      chain.releaseOutgoing();
    }
    this.#sendOn(0, ring.slots);
    ring.clear();
    for (const chain of this.#chains.ofReceivers()) this.#sendLate(chain);
    // What filters have added to what others added waits for the next turn.
    if (this.#isLeaving) this.#timers.chainDue(this.#nowMs);
  }

  /** The same of filters at stage EGRESS: to one receiver, or through the flow's filters to the source. */
  #sendLate(chain: FilterChain): void {
    if (!chain.hasOutgoing) return;
    chain.takeCloseRequests();
    const { outgoing } = chain;
    for (let i = 0; i < (outgoing?.count ?? 0); i++) {
      const { batch, indexes } = outgoing!;
      const word = (batch.descriptors >>> 2) + indexes[i]! * DESCRIPTOR_WORDS;
      const leg = this.#table.leg(batch.words[word + Word.session]! - FIRST_SESSION_CONTEXT);
      if (leg?.flow.receiverChain !== chain || !leg.plan.isEnabled) continue;
      const data = batch.words[word + Word.data]!;
      const length = batch.words[word + Word.length]! & 0xffff;
      if ((batch.words[word + Word.flags]! & Flag.UpstreamDirection) !== 0)
        this.#timers.sendUp(leg.flow, batch, data, length, this.#nowMs);
      else this.#stage.sendLate(leg, isRtcp(batch.bytes, data, length), batch, data, length);
    }
    this.#stage.flushLate();
    chain.releaseOutgoing();
  }

  #stageOutgoing(chain: FilterChain, { batch, indexes, count }: Outgoing): void {
    const ring = this.#ring;
    for (let i = 0; i < count; i++) {
      const word = (batch.descriptors >>> 2) + indexes[i]! * DESCRIPTOR_WORDS;
      const flow = this.#table.flows[batch.words[word + Word.session]! - FIRST_SESSION_CONTEXT];
      if (flow?.active === undefined || flow.chain !== chain) continue;
      const data = batch.words[word + Word.data]!;
      const length = batch.words[word + Word.length]! & 0xffff;
      if ((batch.words[word + Word.flags]! & Flag.UpstreamDirection) !== 0) {
        this.#rtcp.sendToSource(flow.active, batch, data, length);
        continue;
      }
      const slot = ring.slots;
      copyPacket(ring, ring.payload(slot), batch, data, length);
      ring.add(length, length, 0, 0, 0);
      this.#arrivals.legOf[slot] = flow.active;
      // Not counted as received: it did not come from the source.
      this.#arrivals.kindOf[slot] = Kind.raw;
      if (ring.slots < SLOTS) continue;
      this.#sendOn(0, SLOTS);
      ring.clear();
    }
  }

  /** Sends slots [first, end), flow by flow. */
  #sendOn(first: number, end: number): void {
    let flow: RunningFlow | undefined;
    for (let slot = first; slot < end; slot++) {
      const next = this.#arrivals.legOf[slot]!.flow;
      if (flow !== undefined && next !== flow) this.#fanOut.send(flow, this.#nowMs);
      flow = next;
      this.#gather(slot, flow);
    }
    if (flow !== undefined) this.#fanOut.send(flow, this.#nowMs);
  }

  /** Adds what goes on of a slot to what is sent next. */
  #gather(slot: number, flow: RunningFlow): void {
    const ring = this.#ring;
    const kind = this.#arrivals.kindOf[slot]!;
    const arrivalMs = ring.receiveTimeMs(slot);
    if (ring.slotState[slot] === SlotState.Whole) {
      const segment = ring.slotSegment[slot]!;
      let at = ring.payload(slot);
      // An empty datagram is one too.
      for (let i = ring.descriptorCount[slot]!, left = ring.slotLength[slot]!; i > 0; i--) {
        this.#goOn(flow, kind, at, Math.min(segment, left), arrivalMs);
        at += segment;
        left -= segment;
      }
    } else {
      const { words, descriptors, firstDescriptor, descriptorCount } = ring;
      let at = (descriptors >> 2) + firstDescriptor[slot]! * DESCRIPTOR_WORDS;
      const end = at + descriptorCount[slot]! * DESCRIPTOR_WORDS;
      for (; at < end; at += DESCRIPTOR_WORDS) {
        if ((words[at + Word.action]! & 0xff) !== Action.Continue) continue;
        this.#goOn(flow, kind, words[at + Word.data]!, words[at + Word.length]! & 0xffff, arrivalMs);
      }
    }
    if (kind === Kind.raw) return;
    this.#rtcp.onMedia(flow, this.#nowMs);
    this.#timers.notBefore(this.#rtcp.dueMs(flow));
  }

  #goOn(flow: RunningFlow, kind: number, offset: number, length: number, arrivalMs: number): void {
    const { batch } = this.#fanOut;
    if ((kind & Kind.rtcp) !== 0 && isRtcp(this.#ring.bytes, offset, length)) {
      // What came before leaves before, and is counted in the report.
      this.#fanOut.send(flow, this.#nowMs);
      if (!this.#rtcp.onSource(flow, this.#ring, offset, length, this.#nowMs))
        this.#records.add(flow.active!.record, LegDrop.unexpected, 1);
      return;
    }
    if (kind !== Kind.raw && ((kind & Kind.rtp) === 0 || !isRtp(this.#ring.bytes, offset, length))) {
      this.#records.add(flow.active!.record, LegDrop.unexpected, 1);
      return;
    }
    batch.add(this.#ring.bytes, offset, length);
    if (kind !== Kind.raw) {
      const i = batch.count - 1;
      const { clockRate } = flow.active!.plan;
      const { reception } = flow.rtcp;
      reception.onPacket(batch.ssrc[i]!, batch.seq[i]!, batch.timestamp[i]!, arrivalMs, clockRate);
    }
    if (batch.count === MOST_COPIED) this.#fanOut.send(flow, this.#nowMs);
  }
}
