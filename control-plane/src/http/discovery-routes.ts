// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { fromBinary, fromJsonString, registry, toJson, typeUrls } from "@msm/xds-protos";
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { discoveryServices } from "../server/discovery-services.ts";
import { type Fetched, fetchResources } from "../server/fetch-resources.ts";
import { sotwProtocol } from "../server/sotw-protocol.ts";
import type { StreamContext } from "../server/stream-context.ts";
import { type HttpAnswer, type HttpRoute, text } from "./http-server.ts";

/**
 * xDS by polling (xds_protocol.rst, "REST-JSON polling subscriptions"): `POST /v3/discovery:clusters` and its like, a
 * DiscoveryRequest in JSON against a DiscoveryResponse. Secrets are not served here: whoever asks is not known.
 */
export function discoveryRoutes(
  context: Pick<StreamContext, "cache" | "groupOf" | "identifier">,
): readonly HttpRoute[] {
  return discoveryServices.flatMap(({ typeUrl, restName }): HttpRoute[] => {
    if (typeUrl === undefined || restName === undefined || typeUrl === typeUrls.secret) return [];
    return [
      {
        path: `/v3/discovery:${restName}`,
        method: "POST",
        about: `${typeUrl.slice(typeUrl.lastIndexOf(".") + 1)} resources by polling`,
        answer: (_query, body) => answer(context, typeUrl, body),
      },
    ];
  });
}

function answer(
  context: Pick<StreamContext, "cache" | "groupOf" | "identifier">,
  typeUrl: string,
  body: string,
): HttpAnswer {
  let fetched: Fetched;
  try {
    const request = fromJsonString(DiscoveryRequestSchema, body, { registry, ignoreUnknownFields: true });
    fetched = fetchResources(context, typeUrl, request);
  } catch (error) {
    return text(
      400,
      `the body is no DiscoveryRequest in JSON: ${error instanceof Error ? error.message : error}\n`,
    );
  }
  if (fetched.kind === "invalid") return text(400, `${fetched.message}\n`);
  if (fetched.kind === "nothing") return text(404, `nothing of ${typeUrl} for this node\n`);
  if (fetched.kind === "unchanged") return text(304, "");
  const bytes = sotwProtocol.encode(fetched.response, { identifier: context.identifier, usesTtl: false });
  const json = toJson(DiscoveryResponseSchema, fromBinary(DiscoveryResponseSchema, bytes), { registry });
  return { status: 200, contentType: "application/json", body: JSON.stringify(json) };
}
