// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
/** One broken rule. */
export type Violation = {
  /** Where, in proto field names: `endpoints[0].lb_endpoints[0].load_balancing_weight`. */
  readonly path: string;
  /** Which rule, as validate.proto calls it: `uint32.gte`, `message.required`. */
  readonly rule: string;
  /** What is wrong, for a person to read. */
  readonly message: string;
};

/**
 * Adds to `violations` what is wrong with `value`. Paths are relative to the value: empty for the value itself, else
 * beginning with `.` or `[`. `depth` counts the messages above.
 */
export type Check = (value: unknown, violations: Violation[], depth: number) => void;

/** Puts `prefix` before the paths of the violations from `start` on: paths cost nothing while all is well. */
export function prefixPaths(violations: Violation[], start: number, prefix: string): void {
  for (let i = start; i < violations.length; i++) {
    const violation = violations[i]!;
    violations[i] = { ...violation, path: prefix + violation.path };
  }
}
