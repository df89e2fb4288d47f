// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { ClientDuplexStream, ClientOptions } from "@grpc/grpc-js";
import { createClient } from "@msm/xds-protos";
import { AggregatedDiscoveryService } from "@msm/xds-protos/envoy/service/discovery/v3/ads_pb.js";
import type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  DiscoveryRequest,
  DiscoveryResponse,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { AdsServer } from "../config/ads-server.ts";
import { serverCredentials } from "./server-credentials.ts";

/** One stream to a control plane. Iterating it gives its responses, and throws where the stream fails. */
export interface AdsStream<Request, Response> extends AsyncIterable<Response> {
  send(request: Request): void;
  /** Ends the stream and its connection; iterating it fails then. May be called again. */
  close(): void;
}

const CHANNEL_OPTIONS: ClientOptions = {
  // A dead peer is noticed within 40 s. Servers may refuse pings that come more often than every 30 s.
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.keepalive_permit_without_calls": 0,
  // A filter's module may come inline; gRPC's own limit is 4 MiB for a whole response.
  "grpc.max_receive_message_length": 16 * 1024 * 1024,
  // A channel is for one attempt, so that our back-off is the only one.
  "grpc.use_local_subchannel_pool": 1,
};

/**
 * Opens a stream of the incremental aggregated service. `onConnected` is called when the connection stands: a server
 * that has nothing to say says nothing. Throws where a file of the server's TLS cannot be used.
 */
export function openDeltaStream(
  server: AdsServer,
  onConnected: () => void,
): AdsStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse> {
  return open(server, onConnected, (client) => client.deltaAggregatedResources());
}

/** The same in state of the world. */
export function openSotwStream(
  server: AdsServer,
  onConnected: () => void,
): AdsStream<DiscoveryRequest, DiscoveryResponse> {
  return open(server, onConnected, (client) => client.streamAggregatedResources());
}

type AdsServiceClient = ReturnType<typeof createClient<typeof AggregatedDiscoveryService>>;

function open<Request, Response>(
  server: AdsServer,
  onConnected: () => void,
  start: (client: AdsServiceClient) => ClientDuplexStream<Request, Response>,
): AdsStream<Request, Response> {
  const { credentials, options } = serverCredentials(server);
  const client = createClient(AggregatedDiscoveryService, server.target, credentials, {
    ...CHANNEL_OPTIONS,
    ...options,
  });
  const call = start(client);
  // Whoever iterates gets the error; one that comes when nobody iterates any more must not end the process.
  call.on("error", () => {});
  client.waitForReady(Number.POSITIVE_INFINITY, (error) => {
    if (error === undefined) onConnected();
  });
  return {
    send(request) {
      call.write(request);
    },
    [Symbol.asyncIterator]: () => call[Symbol.asyncIterator]() as AsyncIterator<Response>,
    close() {
      call.cancel();
      client.close();
    },
  };
}
