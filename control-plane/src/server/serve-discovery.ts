// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { typeUrls } from "@msm/xds-protos";
import type {
  DeltaDiscoveryRequest,
  DiscoveryRequest,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { Denial } from "./check-identity.ts";
import { deltaProtocol } from "./delta-protocol.ts";
import { type DiscoveryService, variantOf } from "./discovery-services.ts";
import { fetchResources } from "./fetch-resources.ts";
import { onlyType } from "./only-type.ts";
import { SECRETS_REFUSED } from "./peer.ts";
import { sotwProtocol } from "./sotw-protocol.ts";
import type { StreamContext } from "./stream-context.ts";
import { StreamDriver, type StreamKind } from "./stream-driver.ts";
import { peerOfCall, type StreamGate } from "./stream-gate.ts";

type Duplex<Request> = ServerDuplexStream<Request, Uint8Array>;
type Fetch = ServerUnaryCall<DiscoveryRequest, Uint8Array>;

/** The gRPC handlers of one xDS service, by the names of its methods in lowerCamelCase. */
export function serveDiscovery(
  { service, typeUrl }: DiscoveryService,
  context: StreamContext,
  gate: StreamGate,
): Readonly<Record<string, unknown>> {
  const isAggregated = typeUrl === undefined;
  const sotw: StreamKind<DiscoveryRequest> = { variant: "sotw", protocol: sotwProtocol, isAggregated };
  const delta: StreamKind<DeltaDiscoveryRequest> = {
    variant: "delta",
    protocol: deltaProtocol,
    isAggregated,
  };
  const handlers = service.methods.map((method) => {
    const variant = variantOf(method);
    if (variant === "fetch") return [method.localName, fetchHandler(typeUrl!, context, gate)];
    const handler =
      variant === "delta"
        ? (call: Duplex<DeltaDiscoveryRequest>) => serveStream(call, delta, typeUrl, context, gate)
        : (call: Duplex<DiscoveryRequest>) => serveStream(call, sotw, typeUrl, context, gate);
    return [method.localName, handler];
  });
  return Object.fromEntries(handlers);
}

function serveStream<Request extends { typeUrl: string }>(
  call: Duplex<Request>,
  kind: StreamKind<Request>,
  typeUrl: string | undefined,
  context: StreamContext,
  gate: StreamGate,
): void {
  const peer = peerOfCall(call);
  const connection = {
    peer,
    write: (bytes: Uint8Array) => void call.write(bytes),
    end: (code: keyof typeof status, details: string) => {
      call.emit("error", { code: status[code], details });
    },
  };
  gate.enter(call, peer, () => {
    const driver = new StreamDriver(kind, connection, context);
    call.on("data", (request: Request) => {
      const problem = typeUrl === undefined ? undefined : onlyType(request, typeUrl);
      if (problem === undefined) driver.request(request);
      else connection.end("INVALID_ARGUMENT", problem);
    });
    call.on("end", () => {
      driver.close();
      call.end();
    });
    return driver;
  });
}

function fetchHandler(typeUrl: string, context: StreamContext, gate: StreamGate) {
  return (call: Fetch, answer: sendUnaryData<Uint8Array>): void => {
    const denial =
      gate.denial(peerOfCall(call)) ?? deniedNode(call, context) ?? deniedSecrets(call, typeUrl, context);
    const fetched = fetchResources(context, typeUrl, { ...call.request, versionInfo: "" });
    if (denial !== undefined) {
      answer({ code: status[denial.status], details: denial.message });
    } else if (fetched.kind === "response") {
      const encoding = { identifier: context.identifier, usesTtl: false };
      answer(null, sotwProtocol.encode(fetched.response, encoding));
    } else if (fetched.kind === "invalid") {
      answer({ code: status.INVALID_ARGUMENT, details: fetched.message });
    } else {
      answer({ code: status.NOT_FOUND, details: `nothing of ${typeUrl}` });
    }
  };
}

function deniedNode(call: Fetch, { authorize }: StreamContext) {
  return call.request.node === undefined ? undefined : authorize(peerOfCall(call), call.request.node);
}

function deniedSecrets(call: Fetch, typeUrl: string, context: StreamContext): Denial | undefined {
  if (typeUrl !== typeUrls.secret || context.maySeeSecrets(peerOfCall(call))) return undefined;
  return { status: "PERMISSION_DENIED", message: SECRETS_REFUSED };
}
