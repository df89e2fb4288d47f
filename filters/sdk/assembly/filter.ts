// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Batch, PluginInfo } from "./datagram";

/**
 * A filter. Extend it, override what you need, and `register` one instance at the top of the module. Nothing on
 * the way of a datagram may allocate: with the runtime `stub`, memory is never given back.
 */
export class Filter {
  /** Says how much of each datagram the filter wants to see. Called once, after `configure`. */
  describe(info: PluginInfo): void {}

  /** Reads `configuration()` and makes ready. False refuses it; log the reason first. */
  configure(): bool {
    return true;
  }

  /** Looks at `batch.count` datagrams and may set their `action`. */
  onDatagrams(batch: Batch): void {}

  /** A session began; `session` is its context id, in `Datagram.session` from now on. */
  onSession(session: u32): void {}

  /** A session is over; its context id may be given to another one. */
  onSessionClosed(session: u32): void {}

  /** A timer of `setTimer` is due; `batch` has no datagrams, but some may be added. */
  onTimer(context: u32, timer: u32, batch: Batch): void {}

  /** The session goes on with a new version of the filter: leave what that needs with `setSessionValue`. */
  onHandOver(session: u32): void {}

  /** Entries came into a queue of `registerQueue`. */
  onQueueReady(queue: u32): void {}

  /** As often as `setTickPeriod` asked. */
  onTick(): void {}

  /** Someone asks for the streams: call `reportStream` for each. */
  onReport(): void {}
}

let registered: Filter = new Filter();

/** Makes `filter` the one that the host drives. */
export function register(filter: Filter): void {
  registered = filter;
}

/** The filter that the host drives. */
export function registeredFilter(): Filter {
  return registered;
}
