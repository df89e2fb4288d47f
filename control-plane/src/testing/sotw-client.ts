// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type ChannelCredentials, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import { create, createClient, type DescService, type MessageInitShape } from "@msm/xds-protos";
import { AggregatedDiscoveryService } from "@msm/xds-protos/envoy/service/discovery/v3/ads_pb.js";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";

/** How a client connects. */
export interface SotwClientOptions {
  readonly credentials?: ChannelCredentials;
  /** A service for one type, and its stream's method. */
  readonly service?: readonly [DescService, string];
}

/** A hand-written state-of-the-world client that remembers what it hears, and answers when told to. */
export class SotwClient {
  readonly responses: DiscoveryResponse[] = [];
  endedWith: { readonly code: number; readonly details: string } | undefined;
  readonly #call: ClientDuplexStream<DiscoveryRequest, DiscoveryResponse>;
  readonly #close: () => void;

  constructor(address: string, options: SotwClientOptions = {}) {
    const [service, method] = options.service ?? [AggregatedDiscoveryService, "streamAggregatedResources"];
    const client = createClient(service, address, options.credentials ?? credentials.createInsecure(), {
      // Certificates of tests name the host; addresses are no server names (RFC 6066, section 3).
      "grpc.ssl_target_name_override": "localhost",
    });
    const methods = client as unknown as Record<string, () => typeof this.call>;
    this.#call = methods[method]!();
    this.#close = () => client.close();
    this.#call.on("data", (response) => this.responses.push(response));
    this.#call.on("error", () => {});
    this.#call.on("status", ({ code, details }) => {
      this.endedWith = { code, details };
    });
  }

  get call(): ClientDuplexStream<DiscoveryRequest, DiscoveryResponse> {
    return this.#call;
  }

  get newest(): DiscoveryResponse | undefined {
    return this.responses.at(-1);
  }

  send(fields: MessageInitShape<typeof DiscoveryRequestSchema>): void {
    this.#call.write(create(DiscoveryRequestSchema, fields));
  }

  ack(fields: MessageInitShape<typeof DiscoveryRequestSchema> = {}): void {
    const { typeUrl, nonce } = this.newest!;
    this.send({ typeUrl, responseNonce: nonce, ...fields });
  }

  /** Resets the stream. */
  cancel(): void {
    this.#call.cancel();
    this.#close();
  }

  close(): void {
    this.#call.end();
    this.#close();
  }
}
