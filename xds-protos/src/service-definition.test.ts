// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AggregatedDiscoveryService } from "../gen/envoy/service/discovery/v3/ads_pb.js";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "../gen/envoy/service/discovery/v3/discovery_pb.js";
import { HealthDiscoveryService } from "../gen/envoy/service/health/v3/hds_pb.js";
import { addService } from "./add-service.ts";
import { createClient, type ServiceClient } from "./create-client.ts";
import { serviceDefinition } from "./service-definition.ts";
import { typeUrls } from "./type-urls.ts";

const definition = serviceDefinition(AggregatedDiscoveryService);
const response = create(DiscoveryResponseSchema, {
  typeUrl: typeUrls.listener,
  versionInfo: "7",
  nonce: "n",
});
// Field 99 is unknown to the schema: only bytes that pass untouched keep their odd order.
const prepared = new Uint8Array([0x9a, 0x06, 1, 0x41, ...toBinary(DiscoveryResponseSchema, response)]);

const server = new grpc.Server();
let client: ServiceClient<typeof AggregatedDiscoveryService>;

beforeAll(async () => {
  addService(server, AggregatedDiscoveryService, {
    // Says what it heard, first as a message, then as bytes made before.
    streamAggregatedResources: (call) => {
      call.on("data", (request: DiscoveryRequest) => {
        call.write(create(DiscoveryResponseSchema, { typeUrl: request.typeUrl, versionInfo: "message" }));
        call.write(prepared);
      });
      call.on("end", () => call.end());
    },
    deltaAggregatedResources: (call) => call.end(),
  });
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  client = createClient(AggregatedDiscoveryService, `127.0.0.1:${port}`, grpc.credentials.createInsecure());
});

afterAll(() => {
  client.close();
  server.forceShutdown();
});

test("a bidirectional stream carries messages and prepared bytes both ways", async () => {
  const request = create(DiscoveryRequestSchema, { typeUrl: typeUrls.cluster });
  const stream = client.streamAggregatedResources();
  stream.write(request);
  stream.write(toBinary(DiscoveryRequestSchema, request));
  stream.end();
  const heard: DiscoveryResponse[] = [];
  for await (const message of stream) heard.push(message as DiscoveryResponse);
  expect(heard.map((message) => message.versionInfo)).toEqual(["message", "7", "message", "7"]);
  expect(heard[0]?.typeUrl).toBe(typeUrls.cluster);
  expect(heard[1]?.$unknown).toMatchObject([{ no: 99 }]);
});

test("prepared bytes leave the serializer as they are, without a copy", () => {
  const bytes = definition.streamAggregatedResources.responseSerialize(prepared);
  expect(bytes).toEqual(Buffer.from(prepared));
  expect(bytes.buffer).toBe(prepared.buffer);
  const buffer = Buffer.from(prepared);
  expect(definition.streamAggregatedResources.responseSerialize(buffer)).toBe(buffer);
  const part = prepared.subarray(4);
  expect(definition.streamAggregatedResources.responseSerialize(part)).toEqual(Buffer.from(part));
});

test("each method has its path, its kind and its own types", () => {
  const delta = definition.deltaAggregatedResources;
  expect(delta).toMatchObject({
    path: "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
    requestStream: true,
    responseStream: true,
  });
  const request = create(DeltaDiscoveryRequestSchema, { typeUrl: typeUrls.cluster });
  expect(delta.requestDeserialize(delta.requestSerialize(request))).toEqual(request);
  const reply = create(DeltaDiscoveryResponseSchema, { nonce: "1" });
  expect(delta.responseDeserialize(delta.responseSerialize(reply))).toEqual(reply);
  const unary = serviceDefinition(HealthDiscoveryService).fetchHealthCheck;
  expect(unary).toMatchObject({ requestStream: false, responseStream: false });
});
