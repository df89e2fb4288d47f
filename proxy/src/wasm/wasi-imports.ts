// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { LogLevel } from "./abi.ts";
import { FilterFailure } from "./filter-failure.ts";
import type { GuestState } from "./guest-state.ts";
import type { wasiCalls } from "./import-names.ts";

/** `errno` of WASI preview 1. */
const Errno = { Success: 0, BadFile: 8, Fault: 21, Invalid: 28, NotSupported: 58 } as const;

const STDOUT = 1;
const STDERR = 2;

/** Segments of one `fd_write` that are looked at; standard libraries pass one or two. */
const MAX_SEGMENTS = 16;

/** `clockid` of WASI: the wall clock, and the monotonic one. */
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;

/** `crypto.getRandomValues` gives no more at once. */
const MAX_RANDOM_BYTES = 65_536;

type WasiImports = Record<(typeof wasiCalls)[number], CallableFunction>;

/**
 * WASI as far as language runtimes need it to start: output goes to the log, there are clocks and randomness,
 * no arguments, no environment and no files.
 */
export function wasiImports(state: GuestState): WasiImports {
  const { memory, host } = state;
  const writeEmptySizes = (countOut: number, sizeOut: number): number => {
    if (!memory.holds(countOut >>> 0, 4) || !memory.holds(sizeOut >>> 0, 4)) return Errno.Fault;
    memory.writeU32(countOut >>> 0, 0);
    memory.writeU32(sizeOut >>> 0, 0);
    return Errno.Success;
  };
  return {
    fd_write: (fd: number, segments: number, count: number, writtenOut: number): number =>
      logSegments(state, fd, segments >>> 0, count >>> 0, writtenOut >>> 0),
    fd_close: (): number => Errno.BadFile,
    fd_seek: (): number => Errno.BadFile,
    fd_fdstat_get: (): number => Errno.BadFile,
    clock_time_get(clock: number, _precision: bigint, out: number): number {
      if (!memory.holds(out >>> 0, 8)) return Errno.Fault;
      if (clock !== CLOCK_REALTIME && clock !== CLOCK_MONOTONIC) return Errno.NotSupported;
      const isWall = clock === CLOCK_REALTIME;
      memory.writeU32(out >>> 0, isWall ? host.clock.wallLow : host.clock.nowLow);
      memory.writeU32((out >>> 0) + 4, isWall ? host.clock.wallHigh : host.clock.nowHigh);
      return Errno.Success;
    },
    random_get(address: number, length: number): number {
      if (!memory.holds(address >>> 0, length >>> 0)) return Errno.Fault;
      if (length >>> 0 > MAX_RANDOM_BYTES) return Errno.Invalid;
      crypto.getRandomValues(memory.bytes.subarray(address >>> 0, (address >>> 0) + (length >>> 0)));
      return Errno.Success;
    },
    environ_get: (): number => Errno.Success,
    environ_sizes_get: writeEmptySizes,
    args_get: (): number => Errno.Success,
    args_sizes_get: writeEmptySizes,
    proc_exit(code: number): never {
      throw new FilterFailure("trap", `the filter called proc_exit(${code})`);
    },
  };
}

function logSegments(
  state: GuestState,
  fd: number,
  segments: number,
  count: number,
  written: number,
): number {
  const { memory } = state;
  if (fd !== STDOUT && fd !== STDERR) return Errno.BadFile;
  if (count > MAX_SEGMENTS) return Errno.Invalid;
  if (!memory.holds(segments, count * 8) || !memory.holds(written, 4)) return Errno.Fault;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const address = memory.view.getUint32(segments + i * 8, true);
    const length = memory.view.getUint32(segments + i * 8 + 4, true);
    if (!memory.holds(address, length)) return Errno.Fault;
    if (length > 0) state.logGuestText(fd === STDERR ? LogLevel.Error : LogLevel.Info, address, length);
    total += length;
  }
  memory.writeU32(written, total);
  return Errno.Success;
}
