// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { setTimer } from "@msm/filter-sdk/assembly/signalling";

const PLUGIN_CONTEXT: u32 = 1;
const NEXT_TURN: u32 = 1;

/**
 * Turns in one callback: requests that are begun, and waiters that are told. Each may cost some hundred thousand
 * instructions, of which a callback has 8,000,000; whoever is left over has its turn in one that follows at once.
 */
const TURNS: i32 = 8;

let turnsLeft: i32 = TURNS;

/** Someone who waits for others: it is told to look again whenever something may have changed, also for no reason. */
export abstract class Waiter {
  abstract advance(): void;
}

const ready: Waiter[] = [];

/** Has `waiter` look again soon. */
export function wake(waiter: Waiter): void {
  ready.push(waiter);
}

/** Whether this callback has another turn. */
export function takeTurn(): bool {
  return --turnsLeft >= 0;
}

/** Lets those look again whose turn it is. To be called at the end of every callback. */
export function runWaiters(): void {
  // Who is woken by that comes next time, unless there are turns left.
  while (ready.length > 0 && takeTurn()) ready.shift().advance();
}

/** Sees to it that the rest has its turn. To be called last in every callback. */
export function runWaitersLater(): void {
  turnsLeft = TURNS;
  if (ready.length > 0) setTimer(PLUGIN_CONTEXT, NEXT_TURN, 0);
}
