// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Script } from "node:vm";

const script = new Script("work()");

/**
 * Runs `work` and stops it after `limitMs`, even inside WebAssembly, which no timer of this thread could. Returns
 * false where it was stopped; what it throws itself is thrown on. Costs a tenth of a millisecond.
 */
export function limitTime(work: () => void, limitMs: number): boolean {
  try {
    script.runInNewContext({ work }, { timeout: limitMs });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException | null)?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return false;
    throw error;
  }
}
