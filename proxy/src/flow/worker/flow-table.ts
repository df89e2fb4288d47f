// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { formatSocketAddress, writeSockaddr } from "../../datapath/sockaddr.ts";
import type { WorkerIo } from "../../io/io-backend.ts";
import type { SessionInfo } from "../../wasm/filter-environment.ts";
import { LegFlag, type LegRecords, LegWord, RECORD_WORDS } from "../leg-records.ts";
import { payloadTypeTable, type RewriteTask } from "../rewrite.ts";
import type { FlowUpdate, WorkerFlow, WorkerLeg, WorkerSocket, WorkerUdp } from "../worker-flow.ts";
import { AddressMap } from "./address-map.ts";
import type { FlowChains } from "./flow-chains.ts";
import type { FlowRtcp } from "./flow-rtcp.ts";
import type { RunningFlow, RunningLeg, RunningSocket } from "./running-flow.ts";

/** The flows of one worker with their legs and sockets, and who is found by what. */
export class FlowTable {
  readonly #records: LegRecords;
  readonly #io: WorkerIo;
  readonly #chains: FlowChains;
  readonly #flows: (RunningFlow | undefined)[] = [];
  readonly #sockets: (RunningSocket | undefined)[] = [];
  /** By attachment, then by connection and channel. */
  readonly #interleaved = new Map<number, Map<number, RunningLeg>>();

  readonly #createRtcp: () => FlowRtcp;

  constructor(records: LegRecords, io: WorkerIo, chains: FlowChains, createRtcp: () => FlowRtcp) {
    this.#records = records;
    this.#createRtcp = createRtcp;
    this.#io = io;
    this.#chains = chains;
  }

  get flows(): readonly (RunningFlow | undefined)[] {
    return this.#flows;
  }

  socket(number: number): RunningSocket | undefined {
    return this.#sockets[number];
  }

  interleaved(attachment: number, connection: number, channel: number): RunningLeg | undefined {
    return this.#interleaved.get(attachment)?.get(connection * 256 + channel);
  }

  /** Takes over what changed. */
  apply({ flows, removed, isResumed }: FlowUpdate, nowMs: number): void {
    for (const number of removed) this.#removeFlow(number);
    for (const flow of flows) this.#setFlow(flow, isResumed, nowMs);
  }

  /** The leg's address changed: it is found by the new one. */
  moved(leg: RunningLeg): void {
    for (const socket of this.#socketsOf(leg)) socket.byAddress.set(leg);
  }

  #setFlow(told: WorkerFlow, isResumed: boolean, nowMs: number): void {
    const known = this.#flows[told.number];
    const flow = known ?? this.#openFlow(told, nowMs);
    const isChainNew = known === undefined || known.chainNumber !== told.chain.number;
    flow.stream = told.stream;
    flow.idleMs = told.idleMs;
    if (known && isChainNew) this.#changeChain(known, told);
    for (const record of told.removedLegs) this.#removeLeg(flow, record);
    for (const number of told.removedSockets) this.#removeSocket(flow, number);
    for (const socket of told.sockets) this.#addSocket(flow, socket);
    for (const leg of told.legs) this.#setLeg(flow, leg);
    this.#enable(flow, told.activeSource);
    // Last, so that filters learn where the media come from.
    if (isChainNew) flow.chain.openSession(this.#sessionInfo(flow, isResumed || known !== undefined));
  }

  /** Finds out which legs give and get media now. */
  #enable(flow: RunningFlow, activeSource: number): void {
    const active = flow.legs.get(activeSource);
    if (active?.record !== flow.active?.record) flow.rtcp.reception.restart();
    const enabled = [...flow.legs.values()].filter(({ plan }) => plan.isEnabled);
    flow.active = active;
    flow.receivers = enabled.filter(({ plan }) => plan.role === "receiver");
    flow.sourceCount = enabled.length - flow.receivers.length;
  }

  #openFlow(told: WorkerFlow, nowMs: number): RunningFlow {
    const chain = this.#chains.take(told.chain);
    const flow: RunningFlow = {
      number: told.number,
      stream: told.stream,
      idleMs: told.idleMs,
      chainNumber: told.chain.number,
      chain,
      legs: new Map(),
      active: undefined,
      receivers: [],
      sockets: new Map(),
      rtcp: this.#createRtcp(),
      sourceCount: 0,
      lastHeardMs: nowMs,
      isIdle: false,
    };
    this.#flows[told.number] = flow;
    return flow;
  }

  #changeChain(flow: RunningFlow, told: WorkerFlow): void {
    const chain = this.#chains.take(told.chain);
    flow.chain.closeSession(flow.number);
    this.#chains.give(flow.chainNumber);
    flow.chainNumber = told.chain.number;
    flow.chain = chain;
  }

  #removeFlow(number: number): void {
    const flow = this.#flows[number];
    if (flow === undefined) return;
    for (const record of [...flow.legs.keys()]) this.#removeLeg(flow, record);
    for (const socket of [...flow.sockets.keys()]) this.#removeSocket(flow, socket);
    flow.chain.closeSession(number);
    this.#chains.give(flow.chainNumber);
    this.#flows[number] = undefined;
  }

  #addSocket(flow: RunningFlow, told: WorkerSocket): void {
    const field = told.use === "rtcp" ? LegWord.remoteRtcp : LegWord.remote;
    const socket: RunningSocket = {
      ...told,
      flow,
      legs: new Set(),
      only: undefined,
      byAddress: new AddressMap(this.#records, field),
    };
    this.#sockets[told.number] = socket;
    flow.sockets.set(told.number, socket);
    this.#io.setMediaSocket(told.number, told.socket);
  }

  #removeSocket(flow: RunningFlow, number: number): void {
    this.#io.removeMediaSocket(number);
    this.#sockets[number] = undefined;
    flow.sockets.delete(number);
  }

  #setLeg(flow: RunningFlow, plan: WorkerLeg): void {
    const { record } = plan;
    this.#removeLeg(flow, record);
    const leg: RunningLeg = { record, flow, plan, latchFrom: latchWords(plan), task: taskOf(plan) };
    flow.legs.set(record, leg);
    if (!plan.isEnabled) this.#records.clearFlag(record, LegFlag.Synced);
    if (plan.transport.kind === "udp") {
      this.#setAddresses(record, plan.transport);
      for (const socket of this.#socketsOf(leg)) {
        socket.legs.add(leg);
        socket.byAddress.set(leg);
        socket.only = socket.legs.size === 1 ? leg : undefined;
      }
      return;
    }
    const { attachment } = plan.transport;
    const byChannel = this.#interleaved.get(attachment) ?? new Map<number, RunningLeg>();
    this.#interleaved.set(attachment, byChannel);
    for (const key of channelKeys(plan)) byChannel.set(key, leg);
  }

  #removeLeg(flow: RunningFlow, record: number): void {
    const leg = flow.legs.get(record);
    if (leg === undefined) return;
    flow.legs.delete(record);
    for (const socket of this.#socketsOf(leg)) {
      socket.legs.delete(leg);
      socket.byAddress.remove(leg);
      socket.only = socket.legs.size === 1 ? [...socket.legs][0] : undefined;
    }
    if (leg.plan.transport.kind === "udp") return;
    const { attachment } = leg.plan.transport;
    const byChannel = this.#interleaved.get(attachment);
    for (const key of channelKeys(leg.plan)) if (byChannel?.get(key) === leg) byChannel.delete(key);
    if (byChannel?.size === 0) this.#interleaved.delete(attachment);
  }

  /** For filters the source is the client, as far as its address is known by now. */
  #sessionInfo({ number, active }: RunningFlow, resumed: boolean): SessionInfo {
    const remote = active && this.#records.address(active.record, LegWord.remote);
    const client = remote === undefined ? "" : formatSocketAddress(remote);
    return { index: number, client, endpoint: "", local: "", resumed };
  }

  #socketsOf({ plan: { transport } }: RunningLeg): readonly RunningSocket[] {
    if (transport.kind !== "udp") return [];
    const numbers = transport.rtcp === transport.rtp ? [transport.rtp] : [transport.rtp, transport.rtcp];
    return numbers.map((number) => this.#sockets[number]).filter((socket) => socket !== undefined);
  }

  /** What the main thread says goes over what was learnt, but only once: a worker that was rebuilt keeps it. */
  #setAddresses(record: number, { remoteEpoch, remote, remoteRtcp }: WorkerUdp): void {
    const { words } = this.#records;
    const at = record * RECORD_WORDS + LegWord.remoteEpoch;
    if (words[at] === remoteEpoch) return;
    words[at] = remoteEpoch;
    this.#records.setAddress(record, LegWord.remote, remote);
    this.#records.setAddress(record, LegWord.remoteRtcp, remoteRtcp);
    this.#records.clearFlag(record, LegFlag.Latched | LegFlag.LatchedRtcp);
  }
}

function latchWords({ transport }: WorkerLeg): Uint32Array | undefined {
  if (transport.kind !== "udp" || transport.latchFrom === undefined) return undefined;
  const words = new Uint32Array(8);
  writeSockaddr(new Uint8Array(words.buffer), 0, { address: transport.latchFrom, port: 0 });
  return words;
}

function taskOf({ rewrite, record, clockRate }: WorkerLeg): RewriteTask | undefined {
  if (rewrite === undefined) return undefined;
  return { plan: rewrite, payloadTypes: payloadTypeTable(rewrite), leg: record, clockRate };
}

function channelKeys({ transport }: WorkerLeg): readonly number[] {
  if (transport.kind !== "interleaved") return [];
  const { connection, rtpChannel, rtcpChannel } = transport;
  const channels = rtcpChannel === undefined ? [rtpChannel] : [rtpChannel, rtcpChannel];
  return channels.map((channel) => connection * 256 + channel);
}
