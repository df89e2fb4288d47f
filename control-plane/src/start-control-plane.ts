// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type Clock, systemClock } from "./clock.ts";
import { ControlPlaneState } from "./control-plane-state.ts";
import { startHttpServer } from "./http/http-server.ts";
import { httpRoutes } from "./http/routes.ts";
import { type Logger, silentLogger } from "./logger.ts";
import { refusalLine } from "./refusal.ts";
import { startAdsServer } from "./server/ads-server.ts";
import { SnapshotCache } from "./snapshot/snapshot-cache.ts";
import { loadSource } from "./sources/load-source.ts";
import type { SourceUpdate } from "./sources/source.ts";
import { broadcastObserver } from "./status/broadcast-observer.ts";
import { Metrics } from "./status/metrics.ts";
import { ProxyRegistry } from "./status/proxy-registry.ts";
import { streamLog } from "./status/stream-log.ts";

/** How to run a control plane. */
export interface ControlPlaneOptions {
  /** A folder's name under `sources/`; `file` unless given. */
  readonly source?: string;
  /** Where the source looks: for `file` a YAML file or a folder of them. */
  readonly config: string;
  /** `host:port` of the xDS server; port 0 takes a free one. Default `0.0.0.0:15010`. */
  readonly xdsAddress?: string;
  /** `host:port` of the HTTP server. Default `127.0.0.1:15014`. */
  readonly httpAddress?: string;
  readonly logger?: Logger;
  /** A proxy that leaves a response unanswered for so long is disconnected. Default 30 s. */
  readonly stallTimeoutMs?: number;
  readonly clock?: Clock;
}

/** A running control plane. */
export interface ControlPlane {
  readonly xdsAddress: string;
  readonly httpAddress: string;
  /** Disconnects every proxy and frees the ports; the proxies keep what they have. */
  close(): Promise<void>;
}

/**
 * Starts a control plane in this process. Throws where there is nothing to serve or a port is taken; refused
 * configuration does not stop it.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { config, logger = silentLogger, clock = systemClock } = options;
  const cache = new SnapshotCache();
  const plane = new ControlPlaneState(cache);
  const proxies = new ProxyRegistry();
  const metrics = new Metrics();
  const source = await loadSource(options.source ?? "file", { config, clock });
  const onUpdate = (update: SourceUpdate): void => applyUpdate(update, { plane, metrics, logger, clock });
  onUpdate(await source.read());
  const ads = await startAdsServer({
    address: options.xdsAddress ?? "0.0.0.0:15010",
    cache,
    observer: broadcastObserver([proxies, metrics, streamLog(logger)]),
    stallTimeoutMs: options.stallTimeoutMs ?? 30_000,
    clock,
    logger,
  });
  const routes = httpRoutes({ plane, cache, proxies, metrics });
  const http = await startHttpServer(options.httpAddress ?? "127.0.0.1:15014", routes).catch(
    async (error) => {
      await ads.close();
      throw error;
    },
  );
  const watching = new AbortController();
  source.watch(onUpdate, watching.signal);
  return {
    xdsAddress: ads.address,
    httpAddress: http.address,
    close: async () => {
      watching.abort();
      await Promise.all([ads.close(), http.close()]);
    },
  };
}

interface Applying {
  readonly plane: ControlPlaneState;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
}

function applyUpdate(update: SourceUpdate, { plane, metrics, logger, clock }: Applying): void {
  const started = clock.now();
  const { state, fresh } = plane.apply(update);
  const milliseconds = clock.now() - started;
  metrics.reloaded(milliseconds / 1000, state, fresh);
  for (const refusal of fresh) logger.warn(refusal, `refused: ${refusalLine(refusal)}`);
  const counts = { resources: state.statuses.length, refusals: state.refusals.length };
  logger.info({ ...counts, milliseconds: Math.round(milliseconds) }, "configuration read");
}
