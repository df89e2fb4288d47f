// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { formatSocketAddress, writeSockaddr } from "../../datapath/sockaddr.ts";
import type { WorkerIo } from "../../io/io-backend.ts";
import type { SessionInfo } from "../../wasm/filter-environment.ts";
import { LegFlag, type LegRecords, LegWord, RECORD_WORDS } from "../leg-records.ts";
import { payloadTypeTable, type RewriteTask } from "../rewrite.ts";
import { TrunkChannel, trunkConnection } from "../trunk.ts";
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
  readonly #byRecord: (RunningLeg | undefined)[] = [];
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

  /** The leg with this record. */
  leg(record: number): RunningLeg | undefined {
    return this.#byRecord[record];
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
    flow.receiverCount = told.receiverCount;
    flow.idleMs = told.idleMs;
    flow.isBranch = told.branchSources !== undefined;
    if (known && isChainNew) this.#changeChain(known, told);
    for (const record of told.removedLegs) {
      flow.receiverChain?.closeSession(record);
      this.#removeLeg(flow, record);
    }
    for (const number of told.removedSockets) this.#removeSocket(flow, number);
    for (const socket of told.sockets) this.#addSocket(flow, socket);
    const legsBefore = new Set(flow.legs.keys());
    for (const leg of told.legs) this.#setLeg(flow, leg);
    this.#enable(flow, told);
    // Last, so that filters learn where the media come from.
    if (isChainNew) flow.chain.openSession(this.#sessionInfo(flow, isResumed || known !== undefined));
    if (flow.receiverChain === undefined) return;
    for (const leg of flow.legs.values()) {
      const isOlder = isResumed || legsBefore.has(leg.record);
      if (leg.plan.role === "receiver" && leg.plan.transport.kind !== "trunk" && (isChainNew || !isOlder))
        flow.receiverChain.openSession(this.#receiverInfo(leg, isOlder));
    }
  }

  /** Finds out which legs give and get media now. */
  #enable(flow: RunningFlow, { activeSource, branchSources }: WorkerFlow): void {
    const active = flow.legs.get(activeSource);
    const enabled = [...flow.legs.values()].filter(({ plan }) => plan.isEnabled);
    flow.active = active;
    const receivers = enabled.filter(({ plan }) => plan.role === "receiver");
    flow.receivers = receivers.filter(({ plan }) => plan.transport.kind !== "trunk");
    flow.trunks = receivers.filter(({ plan }) => plan.transport.kind === "trunk");
    flow.sourceCount = branchSources ?? enabled.length - receivers.length;
    // What comes over a trunk says whose it is.
    if (branchSources === undefined) setOrigin(flow, active?.record ?? -1);
  }

  #openFlow(told: WorkerFlow, nowMs: number): RunningFlow {
    const { chain, receiverChain } = this.#chains.take(told.chain);
    const flow: RunningFlow = {
      number: told.number,
      stream: told.stream,
      idleMs: told.idleMs,
      chainNumber: told.chain.number,
      chain,
      receiverChain,
      legs: new Map(),
      active: undefined,
      origin: -1,
      isBranch: false,
      receivers: [],
      receiverCount: 0,
      trunks: [],
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
    const { chain, receiverChain } = this.#chains.take(told.chain);
    flow.chain.handOver(flow.number, chain);
    flow.chain.closeSession(flow.number);
    for (const record of flow.legs.keys()) {
      if (receiverChain) flow.receiverChain?.handOver(record, receiverChain);
      flow.receiverChain?.closeSession(record);
    }
    this.#chains.give(flow.chainNumber);
    flow.chainNumber = told.chain.number;
    flow.chain = chain;
    flow.receiverChain = receiverChain;
  }

  #removeFlow(number: number): void {
    const flow = this.#flows[number];
    if (flow === undefined) return;
    for (const record of [...flow.legs.keys()]) {
      flow.receiverChain?.closeSession(record);
      this.#removeLeg(flow, record);
    }
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
    this.#byRecord[record] = leg;
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
    this.#byRecord[record] = undefined;
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

  /** At stage EGRESS the endpoint is the receiver, as far as its address is known by now. */
  #receiverInfo({ record, flow }: RunningLeg, resumed: boolean): SessionInfo {
    const remote = this.#records.address(record, LegWord.remote);
    const endpoint = remote === undefined ? "" : formatSocketAddress(remote);
    return { ...this.#sessionInfo(flow, resumed), index: record, endpoint };
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
    this.#records.clearFlag(record, LegFlag.Latched | LegFlag.LatchedRtcp | LegFlag.HasLocal);
  }
}

/** Another source is sent on: its stream is another one, whatever its SSRC. */
export function setOrigin(flow: RunningFlow, origin: number): void {
  if (flow.origin !== origin) flow.rtcp.reception.restart();
  flow.origin = origin;
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
  if (transport.kind === "udp") return [];
  if (transport.kind === "trunk")
    return Object.values(TrunkChannel).map((channel) => trunkConnection(transport.flow, 0) * 256 + channel);
  const { connection, rtpChannel, rtcpChannel } = transport;
  const channels = rtcpChannel === undefined ? [rtpChannel] : [rtpChannel, rtcpChannel];
  return channels.map((channel) => connection * 256 + channel);
}
