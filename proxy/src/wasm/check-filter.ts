// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { ConfigError } from "../config-error.ts";
import { LogLevel } from "./abi.ts";
import type { DatagramSink } from "./datagram-sink.ts";
import type { FilterEnvironment, MetricHandle, Sink } from "./filter-environment.ts";
import { toFilterFailure } from "./filter-failure.ts";
import { FilterInstance } from "./filter-instance.ts";
import type { RunnableFilter } from "./filter-options.ts";
import { ChainHost } from "./guest-state.ts";

const NANOSECONDS_PER_MS = 1_000_000n;

/** A canary sees no datagrams. */
const noSink: DatagramSink = {
  pause() {},
  reply() {},
  retarget() {},
  holdUntil() {},
  emit() {},
  resume() {},
};

/** What a canary writes goes nowhere. */
const nullSink: Sink = { write: () => true };

/** A canary counts nothing. */
const noMetric: MetricHandle = { add() {}, set() {}, observe() {}, get: () => 0 };

/**
 * Tries a filter before it is put to work: instantiates, starts and configures it, and throws it away. `field`
 * is named in errors; whether there are sinks, and `sendsOutgoing`, are as with the workers. Returns bits of `Stage`: where it
 * wants to run. Throws ConfigError MSM_FILTER_START or MSM_FILTER_CONFIG, with what the filter logged.
 */
export function checkFilter(
  plan: RunnableFilter,
  field: string,
  hasSinks = false,
  sendsOutgoing = true,
): number {
  return tryFilter(plan, field, sendsOutgoing, (env) => {
    const host = new ChainHost(hasSinks ? { ...env, openSink: () => nullSink } : env);
    return new FilterInstance(plan, host, noSink).stages;
  });
}

/** The same for a filter that `start` makes. */
export function tryFilter<T>(
  plan: RunnableFilter,
  field: string,
  sendsOutgoing: boolean,
  start: (env: FilterEnvironment) => T,
): T {
  const logged: string[] = [];
  const env: FilterEnvironment = {
    worker: 0,
    listener: "",
    log(level, _filter, message) {
      if (level >= LogLevel.Warn) logged.push(message);
    },
    defineMetric: () => noMetric,
    monotonicNs: () => process.hrtime.bigint(),
    wallNs: () => BigInt(Date.now()) * NANOSECONDS_PER_MS,
    sendsOutgoing,
    sendsToTargets: sendsOutgoing,
  };
  try {
    return start(env);
  } catch (thrown) {
    const failure = toFilterFailure(thrown, "start", "start");
    const code = failure.kind === "configure" ? "MSM_FILTER_CONFIG" : "MSM_FILTER_START";
    const said = logged.length === 0 ? "" : `; it logged: ${logged.join("; ")}`;
    throw new ConfigError(code, field, `filter ${plan.name}: ${failure.message}${said}`);
  }
}
