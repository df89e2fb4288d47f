// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create } from "@msm/xds-protos";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { AdsStream } from "./ads-stream.ts";
import type { Response } from "./protocol.ts";
import { sotwProtocol } from "./sotw-protocol.ts";
import type { StreamContext } from "./stream-context.ts";

/** What a client that polls gets. */
export type Fetched =
  | { readonly kind: "response"; readonly response: Response }
  /** It has the newest version already. */
  | { readonly kind: "unchanged" }
  /** There is nothing of this type for this node. */
  | { readonly kind: "nothing" }
  | { readonly kind: "invalid"; readonly message: string };

/** Answers one request without a stream: what a new stream would be sent first. */
export function fetchResources(
  { cache, groupOf, wholeTypes }: Pick<StreamContext, "cache" | "groupOf" | "wholeTypes">,
  typeUrl: string,
  request: DiscoveryRequest,
): Fetched {
  if (request.typeUrl !== "" && request.typeUrl !== typeUrl) {
    return { kind: "invalid", message: `type_url: this path serves ${typeUrl}` };
  }
  const { node, resourceNames } = request;
  const stream = new AdsStream(sotwProtocol, {
    isAggregated: false,
    ...(wholeTypes === undefined ? {} : { wholeTypes }),
  });
  const first = create(DiscoveryRequestSchema, {
    typeUrl,
    resourceNames,
    ...(node === undefined ? {} : { node }),
  });
  const refusal = stream.onRequest(first).find((effect) => effect.kind === "end");
  if (refusal?.kind === "end") return { kind: "invalid", message: refusal.message };
  const snapshot = cache.get(groupOf(node!), node!.id);
  const effects = snapshot === undefined ? [] : stream.onSnapshot(snapshot);
  const sent = effects.find((effect) => effect.kind === "send");
  if (sent?.kind !== "send") return { kind: "nothing" };
  const isSame = sent.response.version === request.versionInfo;
  return isSame ? { kind: "unchanged" } : { kind: "response", response: sent.response };
}
