// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Runs in the browser, too: nothing is imported but what is beside it, and types.

/** Of a leg of `/flows`, what the picture shows. */
export interface ViewedLeg {
  readonly id: string;
  readonly role: "source" | "receiver";
  readonly isEnabled: boolean;
  readonly isActive: boolean;
  readonly transport: string;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly remote?: { readonly ip: string; readonly port: number };
}

/** Of a flow of `/flows`, what the picture shows. */
export interface ViewedFlow {
  readonly owner: string;
  readonly id: string;
  readonly stream: string;
  readonly legs: readonly ViewedLeg[];
}

/** Of a stream of `/streams`, what the picture shows. */
export interface ViewedStream {
  readonly listener: string;
  readonly client: string;
  readonly endpoint: string;
  readonly ssrc: number;
  readonly upstreamDirection: boolean;
  readonly bytes: number;
  readonly lost: number;
  readonly jitterMs: number;
}

/** One end of a row: where media comes from or goes to. */
export interface ViewEnd {
  readonly label: string;
  readonly note: string;
  readonly bitsPerSecond: number;
  /** Datagrams that did not get there. */
  readonly dropped: number;
  readonly isIdle: boolean;
}

/** One picture: a stream with its sources on the left and its receivers on the right. */
export interface ViewRow {
  readonly key: string;
  readonly title: string;
  readonly sources: readonly ViewEnd[];
  readonly receivers: readonly ViewEnd[];
  readonly lost: number | undefined;
  readonly jitterMs: number | undefined;
  /** What came in, bits per second, the newest last. */
  readonly history: readonly number[];
}

/** What is kept from one look at the proxy to the next. */
export interface ViewState {
  readonly atMs: number;
  /** Byte counters by leg or stream. */
  readonly bytes: ReadonlyMap<string, number>;
  readonly rows: readonly ViewRow[];
}

/** How many rates a row remembers. */
export const HISTORY_LENGTH = 60;

/** The state before the first look. */
export const emptyView: ViewState = { atMs: 0, bytes: new Map(), rows: [] };

/** Takes the answers of `/flows` and `/streams` and makes rows of them, with rates since the look `before`. */
export function lookAgain(
  before: ViewState,
  atMs: number,
  flows: readonly ViewedFlow[],
  streams: readonly ViewedStream[],
): ViewState {
  const bytes = new Map<string, number>();
  const rate = (key: string, count: number): number => {
    bytes.set(key, count);
    const old = before.bytes.get(key);
    // A counter that went back belongs to a leg that came again.
    return old === undefined || count < old ? 0 : ((count - old) * 8_000) / Math.max(1, atMs - before.atMs);
  };
  const histories = new Map(before.rows.map(({ key, history }) => [key, history]));
  const withHistory = (row: Omit<ViewRow, "history">): ViewRow => {
    const earlier = histories.get(row.key);
    const incoming = row.sources.reduce((sum, { bitsPerSecond }) => sum + bitsPerSecond, 0);
    // A first look knows no rate yet.
    return { ...row, history: earlier === undefined ? [] : [...earlier, incoming].slice(-HISTORY_LENGTH) };
  };
  const names = new Set(flows.map(({ stream }) => stream));
  const rows = [
    ...flows.map((flow) => flowRow(flow, streams, rate)),
    ...streams.filter(({ listener }) => !names.has(listener)).map((stream) => sessionRow(stream, rate)),
  ];
  return { atMs, bytes, rows: rows.map(withHistory) };
}

type Rate = (key: string, count: number) => number;

function flowRow(flow: ViewedFlow, streams: readonly ViewedStream[], rate: Rate): Omit<ViewRow, "history"> {
  const key = `${flow.owner} ${flow.id}`;
  const own = streams.filter(({ listener }) => listener === flow.stream);
  const end = (leg: ViewedLeg): ViewEnd => ({
    label: leg.remote === undefined ? leg.id : `${leg.remote.ip}:${leg.remote.port}`,
    note: `${leg.id}, ${leg.transport}${leg.isEnabled ? "" : ", paused"}`,
    bitsPerSecond: rate(
      `${key} ${leg.role} ${leg.id}`,
      leg.role === "source" ? leg.receivedBytes : leg.sentBytes,
    ),
    dropped: Object.values(leg.dropped).reduce((sum, count) => sum + count, 0),
    isIdle: leg.role === "source" ? !leg.isActive : !leg.isEnabled,
  });
  return {
    key,
    title: flow.stream,
    sources: flow.legs.filter(({ role }) => role === "source").map(end),
    receivers: flow.legs.filter(({ role }) => role === "receiver").map(end),
    lost: own.length === 0 ? undefined : own.reduce((sum, { lost }) => sum + lost, 0),
    jitterMs: own.length === 0 ? undefined : Math.max(...own.map(({ jitterMs }) => jitterMs)),
  };
}

/** A stream between a client and its endpoint, which no signalling opened. */
function sessionRow(stream: ViewedStream, rate: Rate): Omit<ViewRow, "history"> {
  const key = `${stream.listener} ${stream.client} ${stream.ssrc} ${stream.upstreamDirection}`;
  const bitsPerSecond = rate(key, stream.bytes);
  const end = (label: string, note: string): ViewEnd => ({
    ...{ label, note, bitsPerSecond, dropped: 0 },
    isIdle: bitsPerSecond === 0,
  });
  const client = end(stream.client, "client");
  const endpoint = end(stream.endpoint, "endpoint");
  return {
    key,
    title: `${stream.listener} SSRC ${stream.ssrc}`,
    sources: [stream.upstreamDirection ? client : endpoint],
    receivers: [stream.upstreamDirection ? endpoint : client],
    lost: stream.lost,
    jitterMs: stream.jitterMs,
  };
}
