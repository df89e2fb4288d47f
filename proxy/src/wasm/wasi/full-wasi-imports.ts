// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { GuestState } from "../guest-state.ts";
import { wasiImports } from "../wasi-imports.ts";
import type { OpenWasi } from "./wasi-engine.ts";

/** Descriptors of standard output and error, which go to the log. */
const STDOUT = 1;
const STDERR = 2;

/**
 * WASI preview 1 for one instance: files from its engine; output, clocks, randomness and the end of the program as every
 * filter has them.
 */
export function fullWasiImports(
  state: GuestState,
  wasi: OpenWasi,
): Readonly<Record<string, CallableFunction>> {
  const { fd_write, clock_time_get, random_get, proc_exit } = wasiImports(state);
  const log = fd_write as unknown as FdWrite;
  const write = wasi.calls.fd_write as unknown as FdWrite;
  return {
    ...wasi.calls,
    clock_time_get,
    random_get,
    proc_exit,
    fd_write: (fd: number, segments: number, count: number, writtenOut: number): number =>
      (fd === STDOUT || fd === STDERR ? log : write)(fd, segments, count, writtenOut),
  };
}

type FdWrite = (fd: number, segments: number, count: number, writtenOut: number) => number;
