// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { NodeOverrides } from "./config/bootstrap.ts";
import type { FilterHost } from "./config/filter-loader.ts";
import type { Datapath } from "./datapath/datapath.ts";
import type { LoadFilter } from "./flow/chain-cache.ts";
import type { Logger } from "./logger.ts";
import type { SocketAddress } from "./plan.ts";
import type { Surroundings } from "./xds/ads-client.ts";

/** How a proxy is to run. Only the bootstrap is needed. */
export interface ProxyOptions {
  /** Path of a bootstrap file, or what such a file would hold as an object. */
  readonly bootstrap: string | object;
  /** Datapath workers; one for each core unless said. */
  readonly concurrency?: number | undefined;
  /** I/O backend by name; `auto` unless said. */
  readonly io?: string | undefined;
  /** Folder of the built-in filters; that of the installed `@msm/filters` unless said. */
  readonly filters?: string | undefined;
  /** Folder in which fetched code of filters is kept; one of this user's among the temporary files unless said. */
  readonly codeCache?: string | undefined;
  /** Folder for what filters capture; they may not write where it is undefined. */
  readonly captureFolder?: string | undefined;
  /** With more resident memory no sessions and no legs of flows are taken; no limit unless said. */
  readonly memoryLimitBytes?: number | undefined;
  /** How long listeners that end gracefully only refuse newcomers, in milliseconds; ten minutes unless said. */
  readonly drainTimeMs?: number | undefined;
  readonly node?: NodeOverrides | undefined;
  /** Where to serve `/metrics` besides the admin interface; nowhere unless said. */
  readonly metricsAddress?: SocketAddress | undefined;
  /** Where to serve `/healthz/ready` besides the admin interface; nowhere unless said. */
  readonly healthAddress?: SocketAddress | undefined;
  /** Gives each part its logger; nothing is logged unless said. */
  readonly loggerFor?: ((component: string) => Logger) | undefined;
  readonly logLevel?: LogLevelControl | undefined;
  /** Whether the admin interface may let workers fail; false unless said. */
  readonly faultInjection?: boolean | undefined;
  /** Other parts than the real ones, for tests. */
  readonly parts?: Partial<ProxyParts> | undefined;
}

/** Shows and changes the level of the log. */
export interface LogLevelControl {
  get(): string;
  /** Returns false where there is no such level. */
  set(level: string): boolean;
}

/** What a proxy is made of that tests may want to replace. */
export interface ProxyParts {
  readonly startDatapath: (options: {
    readonly io: string;
    readonly concurrency: number;
    readonly logger: Logger;
    readonly loadFilter: LoadFilter;
    readonly captureFolder?: string | undefined;
    readonly memoryLimitBytes?: number | undefined;
  }) => Promise<Datapath>;
  readonly filterHost: FilterHost;
  readonly probeAddress: (address: SocketAddress, field: string, protocol: "udp" | "tcp") => Promise<void>;
  readonly surroundings: Surroundings;
}
