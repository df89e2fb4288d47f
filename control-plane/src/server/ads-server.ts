// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { Server, ServerCredentials, type ServerDuplexStream, status } from "@grpc/grpc-js";
import { type ServiceHandlers, serviceDefinition } from "@msm/xds-protos";
import { AggregatedDiscoveryService } from "@msm/xds-protos/envoy/service/discovery/v3/ads_pb.js";
import { systemClock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { deltaProtocol } from "./delta-protocol.ts";
import type { Protocol } from "./protocol.ts";
import { sotwProtocol } from "./sotw-protocol.ts";
import { type StreamContext, StreamDriver } from "./stream-driver.ts";
import type { StreamInfo } from "./stream-observer.ts";

/** A listening xDS server. */
export interface AdsServer {
  /** The address and port that it got, `127.0.0.1:15010`. */
  readonly address: string;
  /** Ends every stream and frees the port. */
  close(): Promise<void>;
}

/** What the server needs beside what its streams do. */
export interface AdsServerOptions extends Omit<StreamContext, "clock"> {
  /** `host:port`; port 0 takes a free one. */
  readonly address: string;
  readonly clock?: StreamContext["clock"];
  readonly logger: Logger;
}

const serverOptions = {
  // A proxy that vanished without closing its connection is noticed within 40 s.
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.keepalive_permit_without_calls": 1,
  // A proxy has one stream; a second while it reconnects.
  "grpc.max_concurrent_streams": 64,
  // Requests are names and versions; a proxy's whole subscription fits many times over.
  "grpc.max_receive_message_length": 4 * 1024 * 1024,
  "grpc.max_send_message_length": -1,
};

/** Serves AggregatedDiscoveryService, state of the world and delta. Throws if the address cannot be bound. */
export async function startAdsServer(options: AdsServerOptions): Promise<AdsServer> {
  const { logger } = options;
  const context: StreamContext = { ...options, clock: options.clock ?? systemClock };
  const server = new Server(serverOptions);
  const drivers = new Set<Driver>();
  const shared = { context, logger, drivers };
  const handlers: ServiceHandlers<typeof AggregatedDiscoveryService> = {
    streamAggregatedResources: (call) => serve("sotw", sotwProtocol, call, shared),
    deltaAggregatedResources: (call) => serve("delta", deltaProtocol, call, shared),
  };
  server.addService(serviceDefinition(AggregatedDiscoveryService), { ...handlers });
  const port = await bind(server, options.address);
  const host = options.address.slice(0, options.address.lastIndexOf(":"));
  return { address: `${host}:${port}`, close: () => shutDown(server, drivers) };
}

type Driver = Pick<StreamDriver<never>, "close" | "shutDown">;

interface Shared {
  readonly context: StreamContext;
  readonly logger: Logger;
  readonly drivers: Set<Driver>;
}

// Clients that take their leave get this long before their connections are cut.
const SHUTDOWN_MS = 200;

function shutDown(server: Server, drivers: ReadonlySet<Driver>): Promise<void> {
  for (const driver of drivers) driver.shutDown();
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), SHUTDOWN_MS);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function bind(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(new Error(`cannot listen on ${address} for xDS: ${error.message}`, { cause: error }));
    });
  });
}

function serve<Request, Response>(
  variant: StreamInfo["variant"],
  protocol: Protocol<Request>,
  call: ServerDuplexStream<Request, Response | Uint8Array>,
  { context, logger, drivers }: Shared,
): void {
  const connection = {
    peer: call.getPeer(),
    write: (bytes: Uint8Array) => void call.write(bytes),
    end: (code: keyof typeof status, details: string) => {
      call.emit("error", { code: status[code], details });
    },
  };
  const driver = new StreamDriver(variant, protocol, connection, context);
  drivers.add(driver);
  const close = (): void => {
    driver.close();
    drivers.delete(driver);
  };
  call.on("data", (request) => driver.request(request));
  call.on("end", () => {
    close();
    call.end();
  });
  call.on("cancelled", close);
  call.on("close", close);
  call.on("error", (error) => {
    close();
    logger.debug({ peer: connection.peer, reason: error.message }, "xds stream ended");
  });
}
