// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ControlPlaneStatus } from "../mesh/control-plane-status.ts";

/** Tells when the state of the configuration changes: who edits mesh.yaml sees in the terminal what came of it. */
export class ConfigNews {
  readonly #status: Pick<ControlPlaneStatus, "problems">;
  #known: readonly string[] = [];

  constructor(status: Pick<ControlPlaneStatus, "problems">) {
    this.#status = status;
  }

  /** Returns what is new since the last call; nothing while the control plane does not answer. */
  async take(): Promise<readonly string[]> {
    const problems = await this.#status.problems().catch(() => this.#known);
    const before = this.#known;
    this.#known = problems;
    const fresh = problems.filter((problem) => !before.includes(problem));
    if (problems.length === 0 && before.length > 0) return ["The configuration is right again and in force."];
    return fresh.map((problem) => `Refused, what ran before runs on: ${problem}`);
  }
}
