// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { status } from "@grpc/grpc-js";
import { create, type ServiceHandlers } from "@msm/xds-protos";
import {
  type ClientStatusDiscoveryService,
  type ClientStatusRequest,
  type ClientStatusResponse,
  ClientStatusResponseSchema,
} from "@msm/xds-protos/envoy/service/status/v3/csds_pb.js";
import type { StringMatcher } from "@msm/xds-protos/envoy/type/matcher/v3/string_pb.js";
import type { SnapshotCache } from "../snapshot/snapshot-cache.ts";
import { clientStatus } from "../status/client-status.ts";
import type { ProxyRegistry } from "../status/proxy-registry.ts";
import { INSPECTION_REFUSED, mayInspect } from "./peer.ts";
import { peerOfCall } from "./stream-gate.ts";

const denied = { code: status.PERMISSION_DENIED, details: INSPECTION_REFUSED };
const unsupported = {
  code: status.UNIMPLEMENTED,
  details: "node_matchers: of node_id, exact, prefix, suffix and contains are served, and no node_metadatas",
};

/** Client Status Discovery Service: what each connected proxy was sent, took and refused (csds.proto). */
export function serveClientStatus(
  proxies: ProxyRegistry,
  cache: SnapshotCache,
): ServiceHandlers<typeof ClientStatusDiscoveryService> {
  return {
    fetchClientStatus(call, answer) {
      if (!mayInspect(peerOfCall(call))) return answer(denied);
      const response = report(call.request, proxies, cache);
      if (response === undefined) answer(unsupported);
      else answer(null, response);
    },
    streamClientStatus(call) {
      call.on("error", () => {});
      call.on("data", (request: ClientStatusRequest) => {
        const isAllowed = mayInspect(peerOfCall(call));
        const response = isAllowed ? report(request, proxies, cache) : undefined;
        if (response !== undefined) call.write(response);
        else call.emit("error", isAllowed ? unsupported : denied);
      });
      call.on("end", () => call.end());
    },
  };
}

function report(
  { nodeMatchers, excludeResourceContents }: ClientStatusRequest,
  proxies: ProxyRegistry,
  cache: SnapshotCache,
): ClientStatusResponse | undefined {
  const tests: ((id: string) => boolean)[] = [];
  for (const { nodeId, nodeMetadatas } of nodeMatchers) {
    const test = nodeId === undefined ? () => true : matcherOf(nodeId);
    if (test === undefined || nodeMetadatas.length > 0) return undefined;
    tests.push(test);
  }
  const chosen = proxies
    .all()
    .filter(({ info }) => tests.length === 0 || tests.some((test) => test(info.nodeId)));
  const config = chosen.map((proxy) => clientStatus(proxy, cache, excludeResourceContents));
  return create(ClientStatusResponseSchema, { config });
}

function matcherOf({ matchPattern, ignoreCase }: StringMatcher): ((text: string) => boolean) | undefined {
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  const { case: kind, value } = matchPattern;
  if (kind === "exact") return (text) => fold(text) === fold(value);
  if (kind === "prefix") return (text) => fold(text).startsWith(fold(value));
  if (kind === "suffix") return (text) => fold(text).endsWith(fold(value));
  if (kind === "contains") return (text) => fold(text).includes(fold(value));
  return undefined;
}
