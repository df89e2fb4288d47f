// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { fromBinary } from "@msm/xds-protos/messages";
import { FlowEventSchema } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { EndpointDirectory } from "../datapath/endpoint-directory.ts";
import { monotonicMs } from "../datapath/monotonic-clock.ts";
import { InterleavedLinks } from "../flow/interleaved-links.ts";
import type { FilterEnvironment } from "../wasm/filter-environment.ts";
import { awaitWork } from "../worker/await-work.ts";
import { MetricSlots } from "../worker/metric-slots.ts";
import { Vital } from "../worker/protocol.ts";
import { currentThread } from "../worker/thread-time.ts";
import type { Connection } from "./connection.ts";
import type {
  FromSignalling,
  ListenerAnswer,
  ListenerOrder,
  SignallingUpdate,
  SignallingWorkerData,
  ToSignalling,
} from "./protocol.ts";
import { RouteChooser } from "./route-chooser.ts";
import { SignallingListener } from "./signalling-listener.ts";
import type { SignallingSite } from "./signalling-site.ts";

/** Proxy-Wasm's log levels, trace to critical, as ours. */
const LEVELS = ["debug", "debug", "info", "warn", "error", "error"] as const;
const ATTACHMENT = 2 ** 32;
const MAX_CONNECTION = 2 ** 32 - 1;

const data = await awaitWork<SignallingWorkerData>();
data.vitals[Vital.thread] = currentThread();
const post = (message: FromSignalling): void => data.port.postMessage(message);
const metrics = new MetricSlots(data.counters, data.metrics, (definition) =>
  post({ type: "metric", definition }),
);
const connections = new Map<number, Connection>();
/** Connections for which frames gathered in the batch under way. */
const dirty = new Set<Connection>();
const dropped = metrics.define("counter", "msm_signalling_frames_dropped_total", {});
const links = new InterleavedLinks(data.links, addFrame, flushFrames);
const listeners = new Map<string, SignallingListener>();
const site: SignallingSite = {
  chooser: new RouteChooser(new EndpointDirectory(data.index, data.pages), data.counters),
  links,
  connections,
  qualify: (connection) => data.attachment * ATTACHMENT + connection,
  nextConnection,
  environment,
  orderFlow: (listener, owner, order) => post({ type: "flow", listener, owner, order }),
  log: (level, fields, message) => post({ type: "log", level, message, fields }),
  watched,
};
let lastConnection = 0;
let lastListener = 0;
/** Updates are put into effect one after the other. */
let tail: Promise<unknown> = Promise.resolve();

data.port.on("message", onMessage);

function onMessage(message: ToSignalling): void {
  switch (message.type) {
    case "apply":
      tail = tail.then(async () => {
        const answers = await apply(message.update);
        post({ type: "applied", sequence: message.sequence, answers });
      });
      return;
    case "flow": {
      const { owner, flow, event, worker } = message;
      const known = fromBinary(FlowEventSchema, event);
      for (const listener of listeners.values()) listener.flowEvent(owner, flow, known, worker);
      return;
    }
    case "stop":
      for (const listener of listeners.values()) listener.close();
      links.close();
      data.port.close();
      return;
    case "fail":
      fail(message.how);
  }
}

async function apply(update: SignallingUpdate): Promise<readonly ListenerAnswer[]> {
  site.chooser.update(update.clusters, update.removedClusters);
  for (const name of update.removedListeners) {
    listeners.get(name)?.close();
    listeners.delete(name);
  }
  const answers: ListenerAnswer[] = [];
  for (const order of update.listeners) answers.push(await applyListener(order));
  return answers;
}

async function applyListener(order: ListenerOrder): Promise<ListenerAnswer> {
  const { name } = order;
  const known = listeners.get(name);
  try {
    if (known !== undefined) {
      await known.apply(order);
      return { name, localAddress: known.localAddress };
    }
    const listener = new SignallingListener(order, `${data.attachment}.${++lastListener}`, site);
    try {
      await listener.open();
    } catch (error) {
      listener.close();
      throw error;
    }
    listeners.set(name, listener);
    return { name, localAddress: listener.localAddress };
  } catch (error) {
    return { name, error: error instanceof Error ? error.message : String(error) };
  }
}

function nextConnection(): number {
  do lastConnection = lastConnection === MAX_CONNECTION ? 1 : lastConnection + 1;
  while (connections.has(lastConnection));
  return lastConnection;
}

function environment(listener: string): FilterEnvironment {
  return {
    worker: data.index,
    listener,
    log: (level, filter, message) => {
      post({ type: "log", level: LEVELS[level] ?? "error", message, fields: { listener, filter } });
    },
    defineMetric: (kind, name, labels) => metrics.define(kind, name, labels),
    monotonicNs: () => process.hrtime.bigint(),
    wallNs: () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n,
    // Signalling filters have no datagrams; it lets them pause and close connections.
    sendsOutgoing: true,
  };
}

function watched<T>(call: () => T): T {
  data.vitals[Vital.turnStartMs] = monotonicMs();
  try {
    return call();
  } finally {
    data.vitals[Vital.turnStartMs] = 0;
  }
}

function addFrame(
  connection: number,
  channel: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  header: number,
): void {
  const found = connections.get(connection);
  if (found?.addFrame(channel, bytes, start, end, header) === true) dirty.add(found);
  else dropped.add(1);
}

function flushFrames(): void {
  for (const connection of dirty) connection.flushFrames();
  dirty.clear();
}

function fail(how: "throw" | "spin"): void {
  if (how === "throw") throw new Error("this worker was told to fail");
  watched(() => {
    for (const endMs = monotonicMs() + 60_000; monotonicMs() < endMs; );
  });
}
