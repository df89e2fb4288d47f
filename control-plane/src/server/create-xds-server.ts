// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { type DescService, serviceDefinition } from "@msm/xds-protos";
import { ClientStatusDiscoveryService } from "@msm/xds-protos/envoy/service/status/v3/csds_pb.js";
import { Health } from "@msm/xds-protos/grpc/health/v1/health_pb.js";
import { ServerReflection } from "@msm/xds-protos/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionAlpha } from "@msm/xds-protos/grpc/reflection/v1alpha/reflection_pb.js";
import { systemClock } from "../clock.ts";
import { silentLogger } from "../logger.ts";
import { broadcastObserver } from "../status/broadcast-observer.ts";
import { ProxyRegistry } from "../status/proxy-registry.ts";
import { AcceptLimiter } from "./accept-limiter.ts";
import { type Authorize, checkIdentity } from "./check-identity.ts";
import { discoveryServices } from "./discovery-services.ts";
import { istioDebug } from "./istio-debug.ts";
import { mayInspect } from "./peer.ts";
import { PushQueue } from "./push-queue.ts";
import { serveClientStatus } from "./serve-client-status.ts";
import { serveDiscovery } from "./serve-discovery.ts";
import { serveHealth } from "./serve-health.ts";
import { serveReflection } from "./serve-reflection.ts";
import type { StreamContext } from "./stream-context.ts";
import { StreamGate } from "./stream-gate.ts";
import { type TlsCredentials, tlsCredentials } from "./tls-credentials.ts";
import { grpcOptions, serverDefaults, type XdsServer, type XdsServerOptions } from "./xds-server-options.ts";

/**
 * Serves the snapshots of a cache over every xDS service, state of the world and delta, with CSDS, gRPC health and
 * reflection. Throws if an address cannot be bound or a TLS file cannot be used.
 */
export async function createXdsServer(options: XdsServerOptions): Promise<XdsServer> {
  const { clock = systemClock, logger = silentLogger, proxies = new ProxyRegistry() } = options;
  const context = contextOf(options, proxies);
  const isReady = options.isReady ?? (() => true);
  const limiter = new AcceptLimiter(options.accept ?? serverDefaults.accept, clock);
  const maxStreamsPerPeer = options.maxStreamsPerPeer ?? serverDefaults.maxStreamsPerPeer;
  const gate = new StreamGate({ limiter, authorize: context.authorize, maxStreamsPerPeer, isReady, logger });
  const server = new Server(grpcOptions(options));
  addServices(server, context, gate, proxies, () => isReady() && context.cache.groups().length > 0);
  const tls: TlsCredentials[] = [];
  const stop = async (): Promise<void> => {
    for (const each of tls) each.stop();
    gate.shutDown();
    await shutDown(server);
  };
  try {
    const addresses: string[] = [];
    for (const { address, tls: files } of options.listeners) {
      const secured = files === undefined ? undefined : tlsCredentials(files, clock, logger);
      if (secured !== undefined) tls.push(secured);
      addresses.push(await bind(server, address, secured?.credentials ?? ServerCredentials.createInsecure()));
    }
    return { addresses, proxies, close: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function contextOf(options: XdsServerOptions, proxies: ProxyRegistry): StreamContext {
  const { cache, clock = systemClock, wholeTypes, onMissing, maxConnectionAgeMs } = options;
  const authorize: Authorize = (peer, node) => checkIdentity(peer, node) ?? options.authorize?.(peer, node);
  return {
    cache,
    clock,
    authorize,
    maySeeSecrets: options.maySeeSecrets ?? mayInspect,
    observer: broadcastObserver([proxies, ...(options.observers ?? [])]),
    groupOf: options.groupOf ?? (() => "default"),
    queue: new PushQueue(),
    identifier: options.identifier ?? "",
    stallTimeoutMs: options.stallTimeoutMs ?? serverDefaults.stallTimeoutMs,
    random: Math.random,
    debugTypes: istioDebug(proxies, cache),
    ...(wholeTypes === undefined ? {} : { wholeTypes: new Set(wholeTypes) }),
    ...(onMissing === undefined ? {} : { onMissing }),
    ...(maxConnectionAgeMs === undefined ? {} : { maxAgeMs: maxConnectionAgeMs }),
  };
}

function addServices(
  server: Server,
  context: StreamContext,
  gate: StreamGate,
  proxies: ProxyRegistry,
  isServing: () => boolean,
): void {
  const extra = [ClientStatusDiscoveryService, Health, ServerReflection, ServerReflectionAlpha];
  const names = [...discoveryServices.map(({ service }) => service), ...extra].map(
    ({ typeName }) => typeName,
  );
  const add = (service: DescService, handlers: object): void =>
    server.addService(serviceDefinition(service), handlers as UntypedServiceImplementation);
  for (const each of discoveryServices) add(each.service, serveDiscovery(each, context, gate));
  add(ClientStatusDiscoveryService, serveClientStatus(proxies, context.cache));
  add(Health, serveHealth(names, isServing, context.clock));
  for (const reflection of [ServerReflection, ServerReflectionAlpha]) {
    add(reflection, serveReflection(names, reflection.method.serverReflectionInfo.input));
  }
}

// Clients that take their leave get this long before their connections are cut.
const SHUTDOWN_MS = 200;

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), SHUTDOWN_MS);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<string> {
  const host = address.slice(0, address.lastIndexOf(":"));
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error === null) resolve(`${host}:${port}`);
      else reject(new Error(`cannot listen on ${address} for xDS: ${error.message}`, { cause: error }));
    });
  });
}
