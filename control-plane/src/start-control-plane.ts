// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { hostname } from "node:os";
import { type Clock, systemClock } from "./clock.ts";
import { ControlPlaneState } from "./control-plane-state.ts";
import { controlPlaneVersion } from "./control-plane-version.ts";
import { debounce } from "./debounce.ts";
import { startHttpServer } from "./http/http-server.ts";
import { httpRoutes } from "./http/routes.ts";
import { type Logger, silentLogger } from "./logger.ts";
import { refusalLine } from "./refusal.ts";
import { createXdsServer } from "./server/create-xds-server.ts";
import type { TlsFiles } from "./server/tls-credentials.ts";
import type { XdsListener, XdsServerOptions } from "./server/xds-server-options.ts";
import { groupOf } from "./snapshot/group.ts";
import { SnapshotCache } from "./snapshot/snapshot-cache.ts";
import { loadSource } from "./sources/load-source.ts";
import type { SourceUpdate } from "./sources/source.ts";
import { Metrics } from "./status/metrics.ts";
import { ProxyRegistry } from "./status/proxy-registry.ts";
import { streamLog } from "./status/stream-log.ts";

/** How to run a control plane. */
export interface ControlPlaneOptions {
  /** A folder's name under `sources/`; `file` unless given. */
  readonly source?: string;
  /** Where the source looks: for `file` a YAML file or a folder of them. */
  readonly config: string;
  /** `host:port` of the xDS server in plain text; port 0 takes a free one. Default 127.0.0.1:15010, none with TLS. */
  readonly xdsAddress?: string;
  /** An xDS server over TLS, mutual where authorities are given. */
  readonly xdsTls?: { readonly address: string; readonly files: TlsFiles };
  /** `host:port` of the HTTP server. Default `127.0.0.1:15014`. */
  readonly httpAddress?: string;
  readonly logger?: Logger;
  /** A proxy that leaves a response unanswered for so long is disconnected. Default 30 s. */
  readonly stallTimeoutMs?: number;
  /** Connections are ended after about so long, so that replicas share the load. Default never. */
  readonly maxConnectionAgeMs?: number;
  /** Streams that one address, or one SPIFFE identity, may have open. Default 10,000. */
  readonly maxStreamsPerPeer?: number;
  readonly clock?: Clock;
}

/** A running control plane. */
export interface ControlPlane {
  /** Of the listener in plain text; of the one over TLS where that is the only one. */
  readonly xdsAddress: string;
  readonly xdsTlsAddress: string | undefined;
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
  const identifier = controlPlaneIdentifier();
  const xds = await createXdsServer({
    ...limits(options),
    listeners: xdsListeners(options),
    cache,
    proxies,
    observers: [metrics, streamLog(logger)],
    groupOf: (node) => groupOf(node).name,
    identifier,
    clock,
    logger,
  });
  const routes = httpRoutes({ plane, cache, proxies, metrics, identifier });
  const http = await startHttpServer(options.httpAddress ?? "127.0.0.1:15014", routes).catch(
    async (error) => {
      await xds.close();
      throw error;
    },
  );
  const watching = new AbortController();
  const updates = debounce(onUpdate, DEBOUNCE, clock);
  source.watch(updates.call, watching.signal);
  return {
    xdsAddress: xds.addresses[0]!,
    xdsTlsAddress: options.xdsTls === undefined ? undefined : xds.addresses.at(-1)!,
    httpAddress: http.address,
    close: async () => {
      watching.abort();
      updates.cancel();
      await Promise.all([xds.close(), http.close()]);
    },
  };
}

// A person who saves waits for neither; a tool that writes many files makes one change.
const DEBOUNCE = { quietMs: 20, maxMs: 500 };

function xdsListeners({ xdsAddress, xdsTls }: ControlPlaneOptions): readonly XdsListener[] {
  const plain = xdsAddress ?? (xdsTls === undefined ? "127.0.0.1:15010" : undefined);
  return [
    ...(plain === undefined ? [] : [{ address: plain }]),
    ...(xdsTls === undefined ? [] : [{ address: xdsTls.address, tls: xdsTls.files }]),
  ];
}

function limits(options: ControlPlaneOptions): Partial<XdsServerOptions> {
  const { stallTimeoutMs, maxConnectionAgeMs, maxStreamsPerPeer } = options;
  return {
    ...(stallTimeoutMs === undefined ? {} : { stallTimeoutMs }),
    ...(maxConnectionAgeMs === undefined ? {} : { maxConnectionAgeMs }),
    ...(maxStreamsPerPeer === undefined ? {} : { maxStreamsPerPeer }),
  };
}

// The object that `istioctl` reads in `control_plane.identifier`.
function controlPlaneIdentifier(): string {
  return JSON.stringify({
    Component: "msm-control-plane",
    ID: hostname(),
    Info: { version: controlPlaneVersion },
  });
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
