// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Mesh, MeshOptions } from "@msm/deploy";
import type { Peer, PeerOptions } from "./peer.ts";

/** A program of others that a suite talks to. */
export interface Need {
  readonly name: string;
  /** A command line that succeeds where the program is there. */
  readonly find: readonly [string, ...string[]];
  /** The Debian packages that bring it. */
  readonly packages: readonly string[];
  /** What of PyPI brings it, `name==version`: unpacked into `conformance/build/pip`. */
  readonly wheel?: string;
}

/** What a scenario works with. Everything started through it is ended with the scenario. */
export interface ScenarioContext {
  /** For files; logs of children are here. Kept where the scenario fails. */
  readonly folder: string;
  /** Says something worth reading: a measured number. */
  note(text: string): void;
  /** Starts a control plane and a proxy on free ports. */
  startMesh(options: Omit<MeshOptions, "folder">): Promise<Mesh>;
  /** Starts another program, bounded in time. */
  startPeer(options: PeerOptions): Peer;
  /** Runs when the scenario is over; the last first. */
  defer(cleanup: () => unknown): void;
}

/** One thing that is shown. It passes when `run` returns and fails when it throws. */
export interface Scenario {
  /** A sentence that is true when the scenario passes. */
  readonly title: string;
  /** After so long it has failed; a minute by default. */
  readonly timeoutMs?: number;
  /** What this machine lacks for it that no package brings, such as a right; undefined where it can run. */
  readonly lacks?: () => string | undefined;
  run(context: ScenarioContext): Promise<void>;
}

/** What `suites/<name>/index.ts` exports as `suite`. */
export interface Suite {
  readonly title: string;
  readonly needs: readonly Need[];
  readonly scenarios: readonly Scenario[];
}
