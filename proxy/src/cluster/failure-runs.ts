// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Consecutive, ConsecutivePlan } from "./outlier-plan.ts";

/** Answers from here on are faults of the endpoint. */
const FIRST_SERVER_ERROR = 500;
const GATEWAY_ERRORS: readonly number[] = [502, 503, 504];

/** The failures of one endpoint that follow each other. Where many threads ask it, each of them has its own runs. */
export class FailureRuns {
  #serverErrors = 0;
  #gatewayErrors = 0;
  #localErrors = 0;

  /**
   * Notes a result: a status as of HTTP, or 0 where the endpoint was not reached. Returns whether a run is as long
   * as the plan wants it, and by lot enforced; then it begins anew.
   */
  note(code: number, plan: ConsecutivePlan, random: () => number): boolean {
    const isLocal = code === 0;
    const isServerError = code >= FIRST_SERVER_ERROR;
    if (isLocal && plan.isSplit) {
      this.#localErrors++;
    } else if (isLocal || isServerError) {
      this.#serverErrors++;
      // Who cannot be reached counts as a 503 where origins are not split.
      this.#gatewayErrors = isLocal || GATEWAY_ERRORS.includes(code) ? this.#gatewayErrors + 1 : 0;
    } else {
      this.#serverErrors = this.#gatewayErrors = 0;
    }
    if (!isLocal) this.#localErrors = 0;
    const isOut = [
      isOver(this.#serverErrors, plan.serverErrors, random),
      isOver(this.#gatewayErrors, plan.gatewayErrors, random),
      isOver(this.#localErrors, plan.localErrors, random),
    ];
    if (this.#serverErrors >= plan.serverErrors.limit) this.#serverErrors = 0;
    if (this.#gatewayErrors >= plan.gatewayErrors.limit) this.#gatewayErrors = 0;
    if (this.#localErrors >= plan.localErrors.limit) this.#localErrors = 0;
    return isOut.includes(true);
  }
}

function isOver(run: number, { limit, enforcing }: Consecutive, random: () => number): boolean {
  return run > 0 && run >= limit && random() * 100 < enforcing;
}
