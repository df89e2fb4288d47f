// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { OutlierRates } from "../cluster/outlier-rates.ts";
import type { BootstrapConfig } from "../config/bootstrap.ts";
import type { ConfigStore } from "../config/store.ts";
import type { Datapath } from "../datapath/datapath.ts";
import type { Sample } from "../stats/sample.ts";
import type { DrainOrder } from "../worker/listener-drain.ts";
import type { ServerState } from "./server-state.ts";

/** What the admin interface sees of the proxy. */
export interface AdminContext {
  readonly version: string;
  readonly startedAt: Date;
  readonly bootstrap: BootstrapConfig;
  /** Path of the bootstrap file; empty where there is none. */
  readonly configPath: string;
  /** How long listeners that end gracefully only refuse newcomers, in milliseconds. */
  readonly drainTimeMs: number;
  readonly store: Pick<ConfigStore, "tables" | "built" | "secretNames">;
  readonly state: ServerState;
  /** Undefined until it runs. */
  datapath(): Datapath | undefined;
  /** The success rates of a cluster's endpoints; undefined where nobody looks. */
  rates?(cluster: string): OutlierRates | undefined;
  /** Every statistic, those of the datapath included. */
  samples(): readonly Sample[];
  /** Whether workers may be made to fail. */
  readonly isFaultInjectionEnabled: boolean;
  logLevel(): string;
  /** Returns false where there is no such level. */
  setLogLevel(level: string): boolean;
  /** Resolves when listeners take nobody new, or are closed. */
  drainListeners(order: DrainOrder): Promise<void>;
  /** Stops the proxy, after the answer is on its way. */
  quit(): void;
}

export interface AdminRequest {
  readonly query: URLSearchParams;
  readonly context: AdminContext;
  /** All routes, for the one that lists them. */
  readonly routes: readonly AdminRoute[];
}

export interface AdminReply {
  /** 200 unless said. */
  readonly status?: number;
  /** Plain text unless said. */
  readonly contentType?: string;
  readonly body: string;
}

/** One path of the admin interface. A file in `routes/` exports one as `route`, or several as `routes`, and is found there. */
export interface AdminRoute {
  readonly path: string;
  /** POST for what changes something. */
  readonly method: "GET" | "POST";
  /** A sentence for `/help`, with the query parameters. Empty for what only another path asks for, which is not listed. */
  readonly summary: string;
  handle(request: AdminRequest): AdminReply | Promise<AdminReply>;
}

/** A request that cannot be answered because of what it says: status 400 and the message. */
export class BadRequest extends Error {}
