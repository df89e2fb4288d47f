// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { workerData } from "node:worker_threads";
import { monotonicMs } from "../datapath/monotonic-clock.ts";
import { Ring } from "../datapath/ring.ts";
import { SessionTable } from "../datapath/session-table.ts";
import { WorkerCore } from "../datapath/worker-core.ts";
import { LegRecords } from "../flow/leg-records.ts";
import { loadBackend } from "../io/load-backend.ts";
import type { FilterEnvironment } from "../wasm/filter-environment.ts";
import { awaitWork } from "./await-work.ts";
import { MetricSlots } from "./metric-slots.ts";
import {
  type FromWorker,
  type ToWorker,
  Vital,
  type WorkerData,
  type WorkerPreparation,
} from "./protocol.ts";
import { currentThread } from "./thread-time.ts";
import { WorkerSinks } from "./worker-sinks.ts";

/** Proxy-Wasm's log levels, trace to critical, as ours. */
const LEVELS = ["debug", "debug", "info", "warn", "error", "error"] as const;

// What takes longest to load is loaded before there is anything to do.
const { io: backendName } = workerData as WorkerPreparation;
const backend = await loadBackend(backendName);
const data = await awaitWork<WorkerData>();
data.vitals[Vital.thread] = currentThread();
const post = (message: FromWorker): void => data.port.postMessage(message);
const ring = new Ring(backend.ringBytes);
const sessions = new SessionTable(data.sessions);
const metrics = new MetricSlots(data.counters, data.metrics, (definition) =>
  post({ type: "metric", definition }),
);
const legs = new LegRecords(data.legs);
const io = backend.createWorkerIo(data.ioHandle, ring, sessions, legs);
const core = new WorkerCore({
  index: data.index,
  ring,
  sessions,
  legs,
  counters: data.counters,
  pages: data.pages,
  vitals: data.vitals,
  io,
  environment,
  onControl: (message) => onControl(message as ToWorker),
  onFlowEvent: (event) => post({ type: "flow", event }),
});
const sinks = new WorkerSinks(data.vitals, (record) => {
  data.port.postMessage({ type: "sink", record } satisfies FromWorker, [record.bytes.buffer]);
});
let isAdopted = false;

await io.run(core, data.port);
data.port.close();

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
    sendsOutgoing: true,
    openSink: (name, header) => (data.hasSinks ? sinks.open(listener, name, header) : undefined),
  };
}

function onControl(message: ToWorker): void {
  switch (message.type) {
    case "apply":
      core.apply(message.update);
      if (!isAdopted) core.adoptSessions();
      isAdopted = true;
      post({ type: "applied", sequence: message.sequence });
      return;
    case "flows":
      core.flows.apply(message.update, monotonicMs());
      post({ type: "applied", sequence: message.sequence });
      return;
    case "link":
      core.flows.setLink(message.link);
      return;
    case "unlink":
      core.flows.removeLink(message.attachment);
      return;
    case "streams":
      post({ type: "streams", sequence: message.sequence, streams: core.streams() });
      return;
    case "stop":
      return; // The shared flag stops the loop; this only woke it.
    case "fail":
      fail(message.how);
  }
}

function fail(how: "throw" | "spin"): void {
  if (how === "throw") throw new Error("this worker was told to fail");
  for (const endMs = monotonicMs() + 60_000; monotonicMs() < endMs; );
}
