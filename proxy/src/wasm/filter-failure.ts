// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Why a filter instance was given up; the label `kind` of `msm_filter_failures_total`.
 * `start`: could not be instantiated or refused to start. `configure`: refused its configuration. `trap`: an
 * exception in the guest. `overrun`: too many instructions or host calls in one call. `status`: `msm_on_datagrams` answered an error. `bad_output`: a value in the batch
 * that breaks the ABI. `unsupported_action`: a part of the ABI that is reserved and not served by this host.
 */
export const failureKinds = [
  "start",
  "configure",
  "trap",
  "overrun",
  "status",
  "bad_output",
  "unsupported_action",
] as const;

/** One of `failureKinds`. */
export type FailureKind = (typeof failureKinds)[number];

/** The end of a filter instance. It never leaves the chain: the failure policy decides what follows. */
export class FilterFailure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, problem: string) {
    super(problem);
    this.name = "FilterFailure";
    this.kind = kind;
  }
}

/** Turns whatever a guest call threw into a failure: every exception ends the instance. */
export function toFilterFailure(thrown: unknown, kind: FailureKind, call: string): FilterFailure {
  if (thrown instanceof FilterFailure) return thrown;
  return new FilterFailure(kind, `${call}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
}
