// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { InterleavedLinks } from "../flow/interleaved-links.ts";
import type { FilterEnvironment } from "../wasm/filter-environment.ts";
import type { Connection } from "./connection.ts";
import type { FlowOrder } from "./protocol.ts";
import type { RouteChooser } from "./route-chooser.ts";

/** What the listeners of one signalling worker share. */
export interface SignallingSite {
  readonly chooser: RouteChooser;
  readonly links: Pick<InterleavedLinks, "send" | "flush">;
  /** The open connections and streams by their number. */
  readonly connections: Map<number, Connection>;
  /** What `InterleavedTransport.connection` says for a connection of this worker. */
  qualify(connection: number): number;
  /** A number that no connection has. */
  nextConnection(): number;
  /** What filters of a listener are given. */
  environment(listener: string): FilterEnvironment;
  orderFlow(listener: string, owner: string, order: FlowOrder): void;
  log(level: "debug" | "info" | "warn" | "error", fields: object, message: string): void;
  /** Runs a call into a filter under the eyes of the watchdog. */
  watched<T>(call: () => T): T;
}
