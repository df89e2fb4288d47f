// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startMesh } from "@msm/deploy";
import { Peer } from "./peer.ts";
import type { Scenario, ScenarioContext } from "./suite.ts";

/** What came of a scenario. */
export interface ScenarioResult {
  readonly seconds: number;
  readonly notes: readonly string[];
  /** Undefined where it passed. */
  readonly error: Error | undefined;
  /** Logs of a failed scenario. */
  readonly folder: string;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** Runs a scenario, bounded in time, and ends whatever it started. Never throws. */
export async function runScenario(scenario: Scenario, folder: string): Promise<ScenarioResult> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const notes: string[] = [];
  const cleanups: (() => unknown)[] = [];
  let meshes = 0;
  const context: ScenarioContext = {
    folder,
    note: (text) => void notes.push(text),
    defer: (cleanup) => void cleanups.push(cleanup),
    startMesh: async (options) => {
      const mesh = await startMesh({ ...options, folder: join(folder, `mesh-${++meshes}`) });
      cleanups.push(() => mesh.stop());
      return mesh;
    },
    startPeer: (options) => {
      const peer = new Peer({ ...options, folder });
      cleanups.push(() => peer.stop());
      return peer;
    },
  };
  const startedAt = performance.now();
  const error = await settle(scenario, context);
  for (const cleanup of cleanups.reverse()) await settleCleanup(cleanup, notes);
  if (!error) rmSync(folder, { recursive: true, force: true });
  return { seconds: (performance.now() - startedAt) / 1000, notes, error, folder };
}

async function settle(scenario: Scenario, context: ScenarioContext): Promise<Error | undefined> {
  const timeoutMs = scenario.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<Error>((resolve) => {
    timer = setTimeout(() => resolve(new Error(`not done after ${timeoutMs} ms`)), timeoutMs);
  });
  const run = scenario.run(context).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  const result = await Promise.race([run, timeout]);
  clearTimeout(timer);
  return result;
}

async function settleCleanup(cleanup: () => unknown, notes: string[]): Promise<void> {
  try {
    await cleanup();
  } catch (error) {
    notes.push(`while cleaning up: ${error}`);
  }
}
