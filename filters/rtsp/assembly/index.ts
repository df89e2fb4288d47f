// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// RTSP 1.0 (RFC 2326), ended on both sides: `readers` and `publish` are the server's side towards clients, `source` the
// client's side towards servers, `flows` what carries the media between them.
import {
  FlowEvent,
  LogLevel,
  log,
  monotonicMs,
  registerSignalling,
  SignallingFilter,
  StreamEvent,
  setTickPeriod,
} from "@msm/filter-sdk/assembly/signalling";
import { hasPeers, peerOf, removePeer, setPeer, TICK_MS, tickPeers } from "./contexts";
import { checkFlows, flushFlows, onFlowEvent } from "./flows/media-flow";
import { defineMetrics } from "./metrics";
import { Client } from "./readers/client";
import { followListener, readSettings } from "./settings";
import { tickSources } from "./source/source-table";
import { runWaiters, runWaitersLater } from "./waiter";

export * from "@msm/filter-sdk/assembly/signalling-abi";

class Rtsp extends SignallingFilter {
  private isTicking: bool = false;

  configure(): bool {
    const problem = readSettings();
    if (problem.length > 0) {
      log(LogLevel.Error, "configuration: " + problem);
      return false;
    }
    defineMetrics();
    return true;
  }

  onConnection(context: u32): void {
    setPeer(context, new Client(context));
    if (!this.isTicking) followListener();
    if (!this.isTicking) setTickPeriod(TICK_MS);
    this.isTicking = true;
  }

  onClientData(context: u32, size: u32, isEnd: bool): bool {
    return this.onData(context, size, isEnd);
  }

  onStreamData(context: u32, size: u32, isEnd: bool): bool {
    return this.onData(context, size, isEnd);
  }

  onConnectionClosed(context: u32): void {
    const peer = peerOf(context);
    removePeer(context);
    if (peer != null) peer.onClosed();
    settle();
  }

  onStream(context: u32, event: StreamEvent): void {
    const peer = peerOf(context);
    if (peer != null) peer.onStream(event);
    settle();
  }

  onFlow(flow: u32, event: FlowEvent): void {
    onFlowEvent(flow, event);
    settle();
  }

  onTimer(context: u32, timer: u32): void {
    settle();
  }

  onTick(): void {
    const nowMs = monotonicMs();
    followListener();
    tickPeers(nowMs);
    tickSources(nowMs);
    checkFlows(nowMs);
    settle();
    // Nothing times out where nobody is.
    this.isTicking = hasPeers();
    if (!this.isTicking) followListener();
    if (!this.isTicking) setTickPeriod(0);
  }

  private onData(context: u32, size: u32, isEnd: bool): bool {
    const peer = peerOf(context);
    const isPaused = peer != null && peer.onData(size, isEnd);
    settle();
    return isPaused;
  }
}

/** What a callback led to leaves with its end. */
function settle(): void {
  runWaiters();
  flushFlows();
  runWaitersLater();
}

registerSignalling(new Rtsp());
