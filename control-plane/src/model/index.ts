// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { backend } from "./backend.ts";
import { configMap } from "./config-map.ts";
import type { Kind } from "./define-kind.ts";
import { endpointSlice } from "./endpoint-slice.ts";
import { gateway } from "./gateway.ts";
import { gatewayClass } from "./gateway-class.ts";
import { referenceGrant } from "./reference-grant.ts";
import { rtspRoute } from "./rtsp-route.ts";
import { secret } from "./secret.ts";
import { service } from "./service.ts";
import { servicePolicy } from "./service-policy.ts";
import { udpRoute } from "./udp-route.ts";
import { wasmFilter } from "./wasm-filter.ts";

/** Every kind of resource, by name. A new kind is a new file and a line here. */
export const kinds = {
  GatewayClass: gatewayClass,
  Gateway: gateway,
  UDPRoute: udpRoute,
  RTSPRoute: rtspRoute,
  Backend: backend,
  Service: service,
  EndpointSlice: endpointSlice,
  Secret: secret,
  ConfigMap: configMap,
  ReferenceGrant: referenceGrant,
  WasmFilter: wasmFilter,
  ServicePolicy: servicePolicy,
} as const;

/** The name of a kind. */
export type KindName = keyof typeof kinds;

/** The checked, readonly form of a resource of one kind. */
export type Model<Name extends KindName> =
  (typeof kinds)[Name] extends Kind<infer Checked> ? Readonly<Checked> : never;

/** A checked resource of any kind. */
export type Resource = { [Name in KindName]: Model<Name> }[KindName];

/** Says whether text names a kind of the mesh. */
export function isKindName(text: string): text is KindName {
  return Object.hasOwn(kinds, text);
}
