// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** What became of a connection or stream, in `SignallingFilter.onStream`. */
export enum StreamEvent {
  Connected = 1,
  /** It could not be connected. Nothing follows. */
  Failed = 2,
  /** It had refused to be written to and takes more. */
  Writable = 3,
  /** It is over; its context may be given to another one. */
  Closed = 4,
}

/** What became of a flow, in `SignallingFilter.onFlow`. */
export enum FlowEvent {
  /** It is installed, also after a change. */
  Opened = 1,
  /** It could not be installed or changed; what was installed goes on. */
  Failed = 2,
  FirstPacket = 3,
  /** Nothing came for as long as it was to wait. */
  Idle = 4,
  Closed = 5,
}

/**
 * A filter that speaks a signalling protocol. Extend it and `registerSignalling` one instance at the top of the module.
 * Connections of clients and streams that the filter opens have context ids from one row of numbers.
 */
export class SignallingFilter {
  /** Reads `configuration()` and makes ready. False refuses it; log the reason first. */
  configure(): bool {
    return true;
  }

  /** A client connected. */
  onConnection(context: u32): void {}

  /**
   * `size` bytes came from the client, to be read with `readData`; all count as read. `isEnd`: it sends no more. True
   * pauses it until `resumeConnection`.
   */
  onClientData(context: u32, size: u32, isEnd: bool): bool {
    return false;
  }

  /** The client's connection is over; its context may be given to another one. */
  onConnectionClosed(context: u32): void {}

  /** The same for a stream that the filter opened. */
  onStreamData(context: u32, size: u32, isEnd: bool): bool {
    return false;
  }

  /** Something became of a stream, or a connection can be written to again. */
  onStream(context: u32, event: StreamEvent): void {}

  /** Something became of a flow. */
  onFlow(flow: u32, event: FlowEvent): void {}

  /** A timer of `setTimer` is due. */
  onTimer(context: u32, timer: u32): void {}

  /** As often as `setTickPeriod` asked. */
  onTick(): void {}
}

let registered: SignallingFilter = new SignallingFilter();

/** Makes `filter` the one that the host drives. */
export function registerSignalling(filter: SignallingFilter): void {
  registered = filter;
}

/** The filter that the host drives. */
export function registeredSignalling(): SignallingFilter {
  return registered;
}
