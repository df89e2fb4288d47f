// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { write } from "./libc.ts";
import { NativeMemory } from "./native-memory.ts";

const COUNTER_BYTES = 8;
const counter = new NativeMemory(COUNTER_BYTES);
counter.words[0] = 1;

/** Adds 1 to an eventfd: wakes the datapath worker that waits for it. */
export function ringEventfd(eventfd: number): void {
  // The address is read from the memory, which is thereby kept: a number of its own would not keep it.
  write(eventfd, counter.address, COUNTER_BYTES);
}
