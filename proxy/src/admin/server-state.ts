// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { ServerInfo_State } from "@msm/xds-protos/envoy/admin/v3/server_info_pb.js";
import type { ResourceType } from "../config/resource.ts";

/**
 * How far the proxy is, in Envoy's words: PRE_INITIALIZING until the first clusters are there, INITIALIZING until
 * the first listeners are open, LIVE from then on; DRAINING while an operator asked for it.
 */
export class ServerState {
  readonly #awaited: Set<ResourceType>;
  #hasStarted = false;
  #isLive = false;
  #isDraining = false;
  #countWarming: () => number;

  /** Live means that each of these types was answered once, and that no listener waits. */
  constructor(awaited: ReadonlySet<ResourceType>, countWarming: () => number) {
    this.#awaited = new Set(awaited);
    this.#countWarming = countWarming;
  }

  get value(): ServerInfo_State {
    if (this.#isDraining) return ServerInfo_State.DRAINING;
    if (this.#isLive) return ServerInfo_State.LIVE;
    const isBeforeClusters = !this.#hasStarted || this.#awaited.has("cluster");
    return isBeforeClusters ? ServerInfo_State.PRE_INITIALIZING : ServerInfo_State.INITIALIZING;
  }

  /** The static resources are applied. */
  start(): void {
    this.#hasStarted = true;
    this.#check();
  }

  /** A response of this type was applied. */
  answered(type: ResourceType): void {
    this.#awaited.delete(type);
    this.#check();
  }

  /** The control plane was waited for long enough. */
  stopWaiting(): void {
    if (this.#hasStarted) this.#isLive = true;
  }

  setDraining(isDraining: boolean): void {
    this.#isDraining = isDraining;
  }

  #check(): void {
    if (this.#hasStarted && this.#awaited.size === 0 && this.#countWarming() === 0) this.#isLive = true;
  }
}
