// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { DescMethod, DescService, MessageShape } from "@bufbuild/protobuf";
import {
  type CallOptions,
  type ChannelCredentials,
  type Client,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type Metadata,
  makeGenericClientConstructor,
  type requestCallback,
} from "@grpc/grpc-js";
import { type Serialized, serviceDefinition } from "./service-definition.ts";

type Call<M extends DescMethod, In = Serialized<M["input"]>, Out = MessageShape<M["output"]>> = {
  unary: (
    request: In,
    metadata: Metadata,
    options: CallOptions,
    callback: requestCallback<Out>,
  ) => ClientUnaryCall;
  server_streaming: (request: In, metadata?: Metadata, options?: CallOptions) => ClientReadableStream<Out>;
  client_streaming: (
    metadata: Metadata,
    options: CallOptions,
    callback: requestCallback<Out>,
  ) => ClientWritableStream<In>;
  bidi_streaming: (metadata?: Metadata, options?: CallOptions) => ClientDuplexStream<In, Out>;
}[M["methodKind"]];

/** A @grpc/grpc-js client with one typed method per method of the service, by their names in lowerCamelCase. */
export type ServiceClient<S extends DescService> = Client & {
  readonly [Name in keyof S["method"]]: Call<S["method"][Name]>;
};

/** Makes a client. `address` is a gRPC target such as `127.0.0.1:15010`; nothing connects before the first call. */
export function createClient<S extends DescService>(
  service: S,
  address: string,
  credentials: ChannelCredentials,
  options: ClientOptions = {},
): ServiceClient<S> {
  const ClientOfService = makeGenericClientConstructor(serviceDefinition(service), service.typeName);
  // The constructor makes its methods from the definition at run time, so their types are known only here.
  return new ClientOfService(address, credentials, options) as unknown as ServiceClient<S>;
}
