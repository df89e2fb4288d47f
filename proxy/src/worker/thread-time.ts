// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readlinkSync } from "node:fs";

/** `USER_HZ`, in which Linux tells times to programs, is 100 on every architecture that Node runs on. */
const MS_PER_TICK = 10;
/** Of what follows the name in `/proc/PID/task/TID/stat`: fields 14 and 15, user and system time. */
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** The kernel's number of the calling thread; 0 where it cannot be told. */
export function currentThread(): number {
  try {
    return Number(/\/task\/(\d+)$/.exec(readlinkSync("/proc/thread-self"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Milliseconds of CPU that a thread of this process has used; undefined where it cannot be told. */
export function threadCpuMs(thread: number): number | undefined {
  if (thread === 0) return undefined;
  try {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, "latin1");
    // The name stands in parentheses and may hold any byte.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME])) * MS_PER_TICK;
  } catch {
    return undefined;
  }
}
