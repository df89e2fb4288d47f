// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { WorkerIo } from "../io/io-backend.ts";
import type { ListenerPlan } from "../plan.ts";
import { Stage } from "../wasm/abi.ts";
import { FilterChain } from "../wasm/filter-chain.ts";
import type { FilterEnvironment } from "../wasm/filter-environment.ts";
import { Action, DESCRIPTOR_WORDS, Word } from "./batch.ts";
import { type Ring, SlotState } from "./ring.ts";
import type { RunningListener } from "./worker-listener.ts";

/** Context of a datagram whose session was not looked for yet. */
const NO_SESSION = 0;

/** The chain of a listener's filters at stage LISTENER, if it has any: that of `known` goes on where there is one. */
export function listenerChainOf(
  known: RunningListener | undefined,
  { listenerFilters = [] }: ListenerPlan,
  environment: FilterEnvironment,
): FilterChain | undefined {
  if (listenerFilters.length === 0) return undefined;
  if (known?.listenerChain !== undefined) return known.listenerChain.replace(listenerFilters, []);
  const here = { stage: Stage.Listener, sendsOutgoing: false, sendsToTargets: true };
  return FilterChain.create(listenerFilters, { ...environment, ...here });
}

/**
 * Shows what came for a listener to its filters at stage LISTENER, before anybody looks for sessions: what they drop opens
 * none, and what they answer is sent back at once. Returns whether anything was, for the caller to count.
 */
export function runListenerStage(
  listener: number,
  chain: FilterChain,
  ring: Ring,
  io: WorkerIo,
  nowMs: number,
): boolean {
  for (let slot = 0; slot < ring.slots; slot++) ring.describe(slot, NO_SESSION);
  if (!chain.run(ring, 0, ring.count, false, nowMs * 1e6)) return false;
  let hasReplies = false;
  for (let slot = 0; slot < ring.slots; slot++) {
    let goesOn = false;
    let at = (ring.descriptors >> 2) + ring.firstDescriptor[slot]! * DESCRIPTOR_WORDS + Word.action;
    for (let i = ring.descriptorCount[slot]!; i > 0; i--, at += DESCRIPTOR_WORDS) {
      const action = ring.words[at]! & 0xff;
      if (action === Action.Continue) goesOn = true;
      else if (action === Action.Reply) hasReplies = true;
    }
    ring.slotState[slot] = goesOn ? SlotState.Apart : SlotState.Dropped;
  }
  if (hasReplies) io.sendBack(listener);
  return hasReplies;
}
