// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Batch } from "../datapath/batch.ts";
import type { ChainPass } from "./chain-pass.ts";

/** Shows datagrams to a guest and takes back what it says of them. Throws FilterFailure where the guest breaks. */
export interface GuestRunner {
  /**
   * Runs the datagrams `live[0..count)` of the batch through the filter. Returns how many of them do not go on.
   * Where it throws, the calls before stand and the failing one has changed nothing.
   */
  run(batch: Batch, live: Uint32Array, count: number, pass: ChainPass): number;
  /** Tells of a timer that is due. */
  runTimer(context: number, id: number): void;
}
