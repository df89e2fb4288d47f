// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { SocketAddress } from "../plan.ts";

/** An endpoint as a checker asks it. */
export interface CheckTarget extends SocketAddress {
  /** For protocols that name whom they ask; empty where nobody said. */
  readonly hostname: string;
}

/** An answer that says by itself that the endpoint is not well: no threshold is waited for. */
export class HealthVerdict extends Error {}

/**
 * One way of asking whether an endpoint is well. A folder in `health-checkers/` exports one as `checker`; a cluster
 * names it as `custom_health_check: { name: msm.health_checkers.<folder> }`. It uses sockets of its own.
 */
export interface HealthChecker<Options = unknown> {
  /** Reads the options of `custom_health_check`. Throws an Error that says what is wrong. The result is plain data. */
  readOptions(json: Readonly<Record<string, unknown>>): Options;
  /** Resolves when the endpoint is well. Rejects with the reason when it is not, and when the signal ends the wait. */
  check(target: CheckTarget, options: Options, signal: AbortSignal): Promise<void>;
}
