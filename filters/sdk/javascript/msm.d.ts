// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * What a filter in JavaScript sees. It exports functions that the proxy calls: `configure()`, which refuses its
 * configuration by throwing or with false; `onDatagrams(batch)`, or `onDownstreamData(context, size, end)` and
 * `onUpstreamData`, whose result 1 pauses; `onSession(session)`, `onSessionClosed(session)`, `onTimer(context, timer,
 * batch)`, `onTick()` and `onQueueReady(context, queue)`; and an object `wants`.
 *
 * There is the language, ECMAScript 2023, and this object: no files, no network, no timers but these. Calls are made one
 * at a time and answer at once, so that promises never run. Where a host call cannot be made it throws; where there is
 * nothing to be had it gives `undefined`, and `false` where something could not be done.
 */
declare namespace msm {
  /** The filter's configuration: a text, JSON mostly. */
  function configuration(): string;
  function vmConfiguration(): string;

  /** Writes to the proxy's log, limited in rate: 20 lines at once, then one a second. */
  function info(text: string): boolean;
  function warn(text: string): boolean;
  function error(text: string): boolean;
  function log(level: 0 | 1 | 2 | 3 | 4 | 5, text: string): boolean;

  /** A metric, whose name may carry labels: `seen{kind="audio"}`. Made once, outside of callbacks. */
  function counter(name: string): Metric;
  function gauge(name: string): Metric;
  function histogram(name: string): Metric;

  /** Names drop reason `code`, 1 to 127, for the label `reason` of `msm_filter_dropped_total`. */
  function defineReason(code: number, name: string): boolean;

  /** A property in the context of the call that runs, as text: `source.address` in `onSession`. */
  function property(path: string): string | undefined;
  function propertyBytes(path: string): Uint8Array | undefined;
  /** Keeps a value with the session that `setContext` named; the filters behind read `filter_state.<name>`. */
  function setProperty(name: string, value: string | Uint8Array): boolean;
  /** The context whose properties are meant: 1 is the filter's own, others are `Datagram.session`. */
  function setContext(context: number): boolean;

  /** Has `onTick` called every so many milliseconds; 0 stops it. */
  function setTickPeriod(ms: number): boolean;
  /** Has `onTimer` called for the filter (context 1) or a session. A delay below 0 cancels the timer. */
  function setTimer(context: number, timer: number, delayMs: number, periodMs?: number): boolean;
  /** The wall clock; it stands still during a call. */
  function wallNs(): number;

  /**
   * The number of a target, for `target` of a datagram that was added: kind 1 is a cluster, 2 an endpoint `ip:port` of the
   * session's cluster.
   */
  function resolveTarget(kind: 1 | 2, name: string): number | undefined;
  /** Opens files that the proxy keeps and that begin with `header`; undefined where it keeps none. */
  function openSink(name: string, header: string | Uint8Array): number | undefined;
  /** Writes a record, at most 64 KiB; false where the disk is behind: nothing was written. */
  function writeSink(sink: number, record: string | Uint8Array): boolean;
  /** Lets a session go on to another endpoint of its cluster, `ip:port`; false where there is none. */
  function routeSession(session: number, endpoint: string): boolean;
  /** Lets what was paused of the session go on: 2 from the client, 3 from the endpoint. */
  function continueStream(type: 2 | 3): boolean;
  /** Asks the proxy to close the session. */
  function closeStream(type: 2 | 3): boolean;

  /** What the filters of one `vm_id` share. */
  function sharedData(key: string): { readonly value: Uint8Array; readonly version: number } | undefined;
  /** Sets it; with a version other than 0 only where that is the current one. */
  function setSharedData(key: string, value: string | Uint8Array, version: number): boolean;
  function registerQueue(name: string): number | undefined;
  function resolveQueue(vmId: string, name: string): number | undefined;
  function enqueue(queue: number, value: string | Uint8Array): boolean;
  function dequeue(queue: number): Uint8Array | undefined;

  /** In `onDownstreamData` (2) and `onUpstreamData` (3): the data, and what is to take the place of a part of it. */
  function buffer(type: 2 | 3): Uint8Array | undefined;
  function setBuffer(type: 2 | 3, start: number, size: number, value: string | Uint8Array): boolean;

  interface Metric {
    add(delta?: number): boolean;
    set(value: number): boolean;
    observe(value: number): boolean;
    get(): number | undefined;
  }

  /** What a filter asks for, as `export const wants`. What is left out is the host's default. */
  interface Wants {
    /** Where it may be used: 1 before a session is looked for, 2 for sessions, 4 for each receiver of a flow, or a sum. */
    readonly stages?: number;
    /** Bytes of each datagram to be seen; 0 for as many as `slotSize`. */
    readonly window?: number;
    readonly maxBatch?: number;
    /** Datagrams that may be added in one call, at most 256. */
    readonly emitCapacity?: number;
    /** Bytes that may be put before a datagram, at most 512. */
    readonly headroom?: number;
    readonly slotSize?: number;
    /** For how long sessions stay with this version when another takes its place; 2,000 ms unless said. */
    readonly drainMs?: number;
  }

  interface Batch extends Iterable<Datagram> {
    readonly count: number;
    /** Monotonic milliseconds, with their fraction. */
    readonly nowMs: number;
    readonly wallMs: number;
    at(i: number): Datagram | undefined;
    /** Says that nothing was changed: the host reads nothing back. */
    markUnchanged(): void;
    /** Adds a datagram to a session; undefined where there is no room. */
    add(session: number, toClient: boolean, payload: Uint8Array): Datagram | undefined;
  }

  /** One datagram. The same objects are used for each batch: keep none of them. */
  interface Datagram {
    readonly index: number;
    /** Length on the wire. It may be set to less. */
    length: number;
    /** Bytes that are present. */
    readonly available: number;
    readonly session: number;
    /** Whether it goes from the endpoint to the client. */
    readonly toClient: boolean;
    readonly receivedMs: number;
    tos: number;
    ttl: number;
    mark: number;
    /** Of a datagram that was added: where it goes instead of its session, from `resolveTarget`. */
    target: number;
    /** The lower half of `user`. */
    user: number;
    /** The bytes that are present. After writing to them call `markDirty`. */
    readonly data: Uint8Array;
    /** Numbers in the order of networks; undefined beyond what is present. */
    u8(i: number): number | undefined;
    u16(i: number): number | undefined;
    u32(i: number): number | undefined;
    setU8(i: number, value: number): void;
    setU16(i: number, value: number): void;
    setU32(i: number, value: number): void;
    markDirty(): void;
    trimStart(bytes: number): void;
    /** Makes room before the payload, within `wants.headroom`. */
    prepend(bytes: number): void;
    drop(reason?: number): void;
    consume(): void;
    pause(): void;
    reply(): void;
    /** Not to leave before, on the clock of `Batch.nowMs`. */
    sendAt(ms: number): void;
    /** Goes to a target, from `resolveTarget`, instead of where its session goes. */
    retarget(target: number): void;
    /** At stage LISTENER: says which session it is of, by a key of two 32-bit numbers. */
    setKey(low: number, high?: number): void;
    /** At stage LISTENER: where it comes from, an address of 4 or 16 bytes; undefined at others. */
    readonly source: { readonly address: Uint8Array; readonly port: number } | undefined;
  }
}
