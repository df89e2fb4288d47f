// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { parentPort } from "node:worker_threads";

/** What this thread was started for by a `ThreadStarter`; a spare one waits for it. */
export async function awaitWork<Work>(): Promise<Work> {
  if (parentPort === null) throw new Error("only a worker thread has work to wait for");
  const [work] = await once(parentPort, "message");
  return work as Work;
}
