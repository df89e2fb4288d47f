// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Status } from "./abi.ts";
import type { GuestState } from "./guest-state.ts";
import type { sinkCalls } from "./import-names.ts";

/** Sinks of one instance. */
const MAX_SINKS = 4;

/** The most that one call writes, and the longest header. */
const MAX_WRITE_BYTES = 65_536;
const MAX_HEADER_BYTES = 4_096;

/** A name that can be a part of a file's: letters, digits and hyphens, and at most one extension. */
const NAME = /^[a-z0-9][a-z0-9-]{0,31}(\.[a-z0-9]{1,8})?$/;

type SinkImports = Record<(typeof sinkCalls)[number], CallableFunction>;

/** The host calls by which a filter writes to files that the host keeps. */
export function sinkImports(state: GuestState): SinkImports {
  const { memory } = state;
  return {
    msm_open_sink(name: number, size: number, header: number, headerSize: number, out: number): number {
      if (size >>> 0 > 64 || headerSize >>> 0 > MAX_HEADER_BYTES) return Status.BadArgument;
      if (!memory.holds(name >>> 0, size >>> 0)) return Status.InvalidMemoryAccess;
      if (!memory.holds(header >>> 0, headerSize >>> 0)) return Status.InvalidMemoryAccess;
      if (!memory.holds(out >>> 0, 4)) return Status.InvalidMemoryAccess;
      const text = memory.readText(name >>> 0, size >>> 0);
      if (!NAME.test(text)) return Status.BadArgument;
      if (state.sinks.length === MAX_SINKS) return Status.QuotaExceeded;
      const begin = memory.bytes.slice(header >>> 0, (header >>> 0) + (headerSize >>> 0));
      const sink = state.host.env.openSink?.(text, begin);
      if (sink === undefined) return Status.Denied;
      memory.writeU32(out >>> 0, state.sinks.push(sink) - 1);
      return Status.Ok;
    },
    msm_write_sink(handle: number, address: number, size: number): number {
      const sink = state.sinks[handle >>> 0];
      if (sink === undefined) return Status.NotFound;
      if (size >>> 0 > MAX_WRITE_BYTES) return Status.BadArgument;
      if (!memory.holds(address >>> 0, size >>> 0)) return Status.InvalidMemoryAccess;
      const isTaken = sink.write(memory.bytes.subarray(address >>> 0, (address >>> 0) + (size >>> 0)));
      return isTaken ? Status.Ok : Status.QuotaExceeded;
    },
  };
}
