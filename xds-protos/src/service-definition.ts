// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  MethodDefinition,
  ServiceDefinition,
} from "@grpc/grpc-js";

/** A message, or its bytes when it was serialised before: those are sent as they are. */
export type Serialized<Desc extends DescMessage> = MessageShape<Desc> | Uint8Array;

type Handler<M extends DescMethod> = {
  unary: handleUnaryCall<MessageShape<M["input"]>, Serialized<M["output"]>>;
  server_streaming: handleServerStreamingCall<MessageShape<M["input"]>, Serialized<M["output"]>>;
  client_streaming: handleClientStreamingCall<MessageShape<M["input"]>, Serialized<M["output"]>>;
  bidi_streaming: handleBidiStreamingCall<MessageShape<M["input"]>, Serialized<M["output"]>>;
}[M["methodKind"]];

/** The methods that a server of this service implements, by their names in lowerCamelCase. */
export type ServiceHandlers<S extends DescService> = {
  readonly [Name in keyof S["method"]]: Handler<S["method"][Name]>;
};

/**
 * The definition that `Server.addService` and `makeGenericClientConstructor` of @grpc/grpc-js want. Requests and
 * responses may be given as bytes that were serialised before: one push to a thousand clients is serialised once.
 */
export function serviceDefinition<S extends DescService>(service: S): ServiceDefinition<ServiceHandlers<S>> {
  const methods = service.methods.map((method) => [method.localName, methodDefinition(method)]);
  return Object.fromEntries(methods) as ServiceDefinition<ServiceHandlers<S>>;
}

function methodDefinition(
  method: DescMethod,
): MethodDefinition<Serialized<DescMessage>, Serialized<DescMessage>> {
  const { input, output, methodKind } = method;
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    originalName: method.localName,
    requestStream: methodKind === "client_streaming" || methodKind === "bidi_streaming",
    responseStream: methodKind === "server_streaming" || methodKind === "bidi_streaming",
    requestSerialize: (request) => serialize(input, request),
    requestDeserialize: (bytes) => fromBinary(input, bytes),
    responseSerialize: (response) => serialize(output, response),
    responseDeserialize: (bytes) => fromBinary(output, bytes),
  };
}

function serialize(schema: DescMessage, value: Serialized<DescMessage>): Buffer {
  const bytes = value instanceof Uint8Array ? value : toBinary(schema, value);
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
