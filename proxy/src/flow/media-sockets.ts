// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { bindAdvice } from "../config/bind-advice.ts";
import { at, refuse } from "../config/refuse.ts";
import { IoError, type MediaSocketOptions, type OpenMediaSocket } from "../io/io-backend.ts";
import type { UdpPlan } from "./flow-plan.ts";
import { PortRange } from "./port-range.ts";
import type { WorkerSocket } from "./worker-flow.ts";

/** Ports of the range that other programs may have before it is given up. */
const MOST_TRIES = 256;
/** What says that the system, or this process, has no more sockets. */
const EXHAUSTED = ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"];

/** The first and last media port, both included. */
export interface MediaPorts {
  readonly first: number;
  readonly last: number;
}

/** One or two sockets of a leg, or of legs that share them. */
export interface SocketGroup {
  readonly rtp: GroupSocket;
  /** The same as `rtp` for MUX; undefined where there is no RTCP. */
  readonly rtcp: GroupSocket | undefined;
}

/** A socket with the number that it gets where it is used. */
export interface GroupSocket extends Pick<WorkerSocket, "use"> {
  readonly open: OpenMediaSocket;
}

/** Opens the sockets of legs, with ports of the range where none is named. They stay open whatever happens to workers. */
export class MediaSockets {
  readonly #open: (options: MediaSocketOptions) => Promise<OpenMediaSocket>;
  readonly #ports: MediaPorts;
  readonly #ranges = new Map<string, PortRange>();
  readonly #random: () => number;

  constructor(
    open: (options: MediaSocketOptions) => Promise<OpenMediaSocket>,
    ports: MediaPorts,
    random: () => number = Math.random,
  ) {
    this.#open = open;
    this.#ports = ports;
    this.#random = random;
  }

  /** Opens the sockets of a leg. Throws a `ConfigError` that names a field below `path`. */
  async open(plan: UdpPlan, isSource: boolean, path: string): Promise<SocketGroup> {
    const { local } = plan;
    const range = this.#range(local.address);
    const count = plan.rtcp === "PAIR" ? 2 : 1;
    if (local.port !== 0) return this.#openNamed(plan, isSource, range, path);
    for (let tried = 0; tried < MOST_TRIES; tried++) {
      const port = range.take(count);
      if (port < 0) break;
      const group = await this.#openAt(plan, isSource, port);
      if (!(group instanceof IoError)) return group;
      for (let i = 0; i < count; i++) range.give(port + i);
      if (group.errno !== "EADDRINUSE") refuseIo(group, path);
    }
    const problem = `no port of ${this.#ports.first} to ${this.#ports.last} is free at ${local.address}`;
    return refuse("MSM_FLOW_PORTS", at(path, "udp.local"), problem);
  }

  /** Closes the sockets and gives their ports back. */
  close({ rtp, rtcp }: SocketGroup): void {
    for (const { open } of new Set(rtcp ? [rtp, rtcp] : [rtp])) {
      open.close();
      this.#ranges.get(open.localAddress.address)?.give(open.localAddress.port);
    }
  }

  async #openNamed(plan: UdpPlan, isSource: boolean, range: PortRange, path: string): Promise<SocketGroup> {
    const { port, address } = plan.local;
    const ports = plan.rtcp === "PAIR" ? [port, port + 1] : [port];
    const claimed = ports.filter((each) => range.claim(each));
    const group =
      claimed.length === ports.length
        ? await this.#openAt(plan, isSource, port)
        : new IoError("EADDRINUSE", `bind ${address} port ${port}`);
    if (!(group instanceof IoError)) return group;
    for (const each of claimed) range.give(each);
    return refuseIo(group, path);
  }

  async #openAt(plan: UdpPlan, isSource: boolean, port: number): Promise<SocketGroup | IoError> {
    const { local, rtcp, dscp, ttl, sourceFilter } = plan;
    const options = { address: { ...local, port }, dscp, ttl, interface: plan.interface, sourceFilter };
    const first = await this.#try({ ...options, isSource });
    if (first instanceof IoError) return first;
    if (rtcp === "NONE") return { rtp: { open: first, use: "raw" }, rtcp: undefined };
    if (rtcp === "MUX") {
      const both: GroupSocket = { open: first, use: "mux" };
      return { rtp: both, rtcp: both };
    }
    const second = await this.#try({ ...options, address: { ...local, port: port + 1 }, isSource: false });
    if (second instanceof IoError) {
      first.close();
      return second;
    }
    return { rtp: { open: first, use: "rtp" }, rtcp: { open: second, use: "rtcp" } };
  }

  async #try(options: MediaSocketOptions): Promise<OpenMediaSocket | IoError> {
    try {
      return await this.#open(options);
    } catch (error) {
      if (error instanceof IoError) return error;
      throw error;
    }
  }

  #range(address: string): PortRange {
    let range = this.#ranges.get(address);
    if (range === undefined) {
      const { first, last } = this.#ports;
      range = new PortRange(first, last, Math.floor(this.#random() * (last - first + 1)));
      this.#ranges.set(address, range);
    }
    return range;
  }
}

function refuseIo(error: IoError, path: string): never {
  const field = at(path, "udp.local");
  if (EXHAUSTED.includes(error.errno))
    return refuse("MSM_FLOW_LIMIT", field, `no more sockets: ${error.message}`);
  return refuse("MSM_FLOW_ADDRESS", field, `cannot be opened: ${error.message}; ${bindAdvice(error)}`);
}
