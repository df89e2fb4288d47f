// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { FIRST_SESSION_CONTEXT, STREAM_BYTES, Status } from "./abi.ts";
import type { GuestState } from "./guest-state.ts";
import type { msmCalls } from "./import-names.ts";
import { readStream } from "./read-stream.ts";

/** Streams that one instance may report at once; more would make an answer that nobody can read. */
const MAX_REPORTS = 16_384;

/** Longest name of a target. */
const MAX_TARGET_BYTES = 256;

/** `kind` of `msm_resolve_target`. */
const targetKinds = new Map([
  [1, "cluster"],
  [2, "endpoint"],
] as const);

/** Longest name of a drop reason. */
const MAX_REASON_BYTES = 48;

type MsmImports = Record<(typeof msmCalls)[number], CallableFunction>;

/** The host calls of the datagram extension for one instance. */
export function msmImports(state: GuestState): MsmImports {
  const { memory } = state;
  return {
    msm_map_metric(id: number, address: number): number {
      if (!memory.holds(address >>> 0, 8)) return Status.InvalidMemoryAccess;
      // An aligned address lets the host read two words without a view or a BigInt.
      if ((address & 7) !== 0) return Status.BadArgument;
      return state.metrics.map(id >>> 0, address >>> 0);
    },
    msm_define_reason(code: number, name: number, length: number): number {
      if (length >>> 0 > MAX_REASON_BYTES) return Status.BadArgument;
      if (!memory.holds(name >>> 0, length >>> 0)) return Status.InvalidMemoryAccess;
      const named = state.reasons.name(code, memory.readText(name >>> 0, length >>> 0));
      return named ? Status.Ok : Status.BadArgument;
    },
    msm_read_datagram(index: number, offset: number, address: number, length: number): number {
      if (!memory.holds(address >>> 0, length >>> 0)) return Status.InvalidMemoryAccess;
      const found = state.window?.read(index >>> 0, offset >>> 0, address >>> 0, length >>> 0);
      return found ? Status.Ok : Status.NotFound;
    },
    msm_report_stream(context: number, address: number, size: number): number {
      if (size >>> 0 < STREAM_BYTES || state.reports === null) return Status.BadArgument;
      if (!memory.holds(address >>> 0, STREAM_BYTES)) return Status.InvalidMemoryAccess;
      const session = (context >>> 0) - FIRST_SESSION_CONTEXT;
      if (!state.host.sessions.has(session)) return Status.NotFound;
      if (state.reports.length === MAX_REPORTS) return Status.InternalFailure;
      state.reports.push(readStream(memory.view, address >>> 0, session));
      return Status.Ok;
    },
    msm_resolve_target: (kind: number, name: number, size: number, out: number): number =>
      resolveTarget(state, kind, name >>> 0, size >>> 0, out >>> 0),
  };
}

function resolveTarget(
  state: GuestState,
  kindNumber: number,
  name: number,
  size: number,
  out: number,
): number {
  const { memory, host } = state;
  if (host.env.sendsToTargets !== true) return Status.Unimplemented;
  const kind = targetKinds.get(kindNumber as 1 | 2);
  if (kind === undefined || size === 0 || size > MAX_TARGET_BYTES) return Status.BadArgument;
  if (!memory.holds(name, size) || !memory.holds(out, 4)) return Status.InvalidMemoryAccess;
  const target = host.targets.resolve(kind, memory.readText(name, size));
  if (target === 0) return Status.QuotaExceeded;
  memory.writeU32(out, target);
  return Status.Ok;
}
