// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { BufferType, LogLevel, Status } from "./abi.ts";
import type { GuestState } from "./guest-state.ts";
import type { proxyCalls } from "./import-names.ts";
import { MAX_METRIC_NAME_BYTES } from "./metric-name.ts";
import { readProperty } from "./properties.ts";

/** Ticks more often than this would be a timer per datagram. */
const MIN_TICK_MS = 1;

/** The longest property path that is looked at. */
const MAX_PATH_BYTES = 256;

type ProxyImports = Record<(typeof proxyCalls)[number], CallableFunction>;

/** The Proxy-Wasm host calls of one instance. Addresses arrive as signed numbers, 64-bit values as BigInt. */
export function proxyImports(state: GuestState): ProxyImports {
  return { ...contextCalls(state), ...dataCalls(state), ...metricCalls(state) };
}

function contextCalls(state: GuestState) {
  const { memory, host } = state;
  return {
    proxy_log(level: number, address: number, length: number): number {
      if (!memory.holds(address >>> 0, length >>> 0)) return Status.InvalidMemoryAccess;
      if (level < LogLevel.Trace || level > LogLevel.Critical) return Status.BadArgument;
      if (level >= LogLevel.Info) state.logGuestText(level, address >>> 0, length >>> 0);
      return Status.Ok;
    },
    proxy_get_log_level(out: number): number {
      if (!memory.holds(out >>> 0, 4)) return Status.InvalidMemoryAccess;
      memory.writeU32(out >>> 0, LogLevel.Info);
      return Status.Ok;
    },
    proxy_get_current_time_nanoseconds(out: number): number {
      if (!memory.holds(out >>> 0, 8)) return Status.InvalidMemoryAccess;
      memory.writeU32(out >>> 0, host.clock.wallLow);
      memory.writeU32((out >>> 0) + 4, host.clock.wallHigh);
      return Status.Ok;
    },
    proxy_set_tick_period_milliseconds(periodMs: number): number {
      state.tickPeriodMs = periodMs >>> 0 === 0 ? 0 : Math.max(MIN_TICK_MS, periodMs >>> 0);
      return Status.Ok;
    },
    proxy_set_effective_context(context: number): number {
      state.context = context >>> 0;
      return Status.Ok;
    },
    // The host never waits for a filter to be done, so there is nothing to take note of.
    proxy_done: (): number => Status.Ok,
  };
}

function dataCalls(state: GuestState) {
  const { memory, plan } = state;
  const bufferOf = (type: number): Uint8Array | null => {
    if (state.stream?.is(type) === true) return state.stream.content;
    if (type === BufferType.VmConfiguration) return plan.vmConfiguration;
    return type === BufferType.PluginConfiguration ? plan.configuration : null;
  };
  return {
    proxy_get_property(path: number, length: number, addressOut: number, sizeOut: number): number {
      if (length >>> 0 > MAX_PATH_BYTES) return Status.BadArgument;
      if (!memory.holds(path >>> 0, length >>> 0)) return Status.InvalidMemoryAccess;
      const value = readProperty(state, memory.readText(path >>> 0, length >>> 0));
      if (value === undefined) return Status.NotFound;
      return memory.give(value, addressOut >>> 0, sizeOut >>> 0) ? Status.Ok : Status.InvalidMemoryAccess;
    },
    proxy_get_buffer_bytes(
      type: number,
      start: number,
      length: number,
      addressOut: number,
      sizeOut: number,
    ): number {
      const buffer = bufferOf(type);
      if (buffer === null) return Status.NotFound;
      const from = start >>> 0;
      if (from > buffer.length) return Status.BadArgument;
      const part = buffer.subarray(from, Math.min(buffer.length, from + (length >>> 0)));
      return memory.give(part, addressOut >>> 0, sizeOut >>> 0) ? Status.Ok : Status.InvalidMemoryAccess;
    },
    proxy_get_buffer_status(type: number, sizeOut: number, flagsOut: number): number {
      const buffer = bufferOf(type);
      if (buffer === null) return Status.NotFound;
      if (!memory.holds(sizeOut >>> 0, 4) || !memory.holds(flagsOut >>> 0, 4)) {
        return Status.InvalidMemoryAccess;
      }
      memory.writeU32(sizeOut >>> 0, buffer.length);
      memory.writeU32(flagsOut >>> 0, 0);
      return Status.Ok;
    },
  };
}

function metricCalls(state: GuestState) {
  const { memory, metrics } = state;
  return {
    proxy_define_metric(type: number, name: number, length: number, idOut: number): number {
      if (length >>> 0 > MAX_METRIC_NAME_BYTES) return Status.BadArgument;
      if (!memory.holds(name >>> 0, length >>> 0) || !memory.holds(idOut >>> 0, 4)) {
        return Status.InvalidMemoryAccess;
      }
      const id = metrics.define(type, memory.readText(name >>> 0, length >>> 0));
      if (id < 0) return Status.BadArgument;
      memory.writeU32(idOut >>> 0, id);
      return Status.Ok;
    },
    proxy_increment_metric: (id: number, delta: bigint): number => metrics.increment(id >>> 0, Number(delta)),
    proxy_record_metric: (id: number, value: bigint): number =>
      metrics.record(id >>> 0, Number(BigInt.asUintN(64, value))),
    proxy_get_metric(id: number, out: number): number {
      if (!memory.holds(out >>> 0, 8)) return Status.InvalidMemoryAccess;
      const value = metrics.read(id >>> 0);
      if (value === null) return Status.NotFound;
      memory.writeU64(out >>> 0, BigInt(Math.round(value)));
      return Status.Ok;
    },
  };
}
