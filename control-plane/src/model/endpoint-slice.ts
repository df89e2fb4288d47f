// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isIP } from "node:net";
import { z } from "zod";
import { defineKind } from "./define-kind.ts";
import { coded, ignored, isAddress, port } from "./field-schemas.ts";
import type { Refuse } from "./problem.ts";

/** An endpoint of a Service. A draining one keeps its sessions and gets no new ones. */
export interface SliceEndpoint {
  readonly address: string;
  readonly isDraining: boolean;
}

/** A port of every endpoint in the slice. */
export interface SlicePort {
  readonly name: string;
  readonly port: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
}

const flag = z.boolean().nullish();

const endpoint = z.strictObject({
  addresses: z.array(z.string()).min(1).max(100),
  conditions: z.strictObject({ ready: flag, serving: flag, terminating: flag }).optional(),
  hostname: ignored,
  nodeName: ignored,
  zone: ignored,
  hints: ignored,
  targetRef: ignored,
  deprecatedTopology: ignored,
});

const slicePort = z.strictObject({
  name: z.string().nullish(),
  port: port.nullish(),
  protocol: z.enum(["TCP", "UDP", "SCTP"]).nullish(),
  appProtocol: ignored,
});

/** The label that names the Service of a slice. */
export const serviceNameLabel = "kubernetes.io/service-name";

/** Endpoints of a Service. What is not ready is left out; what ends but still serves is draining. */
export const endpointSlice = defineKind({
  kind: "EndpointSlice",
  apiVersions: ["discovery.k8s.io/v1"],
  shape: {
    addressType: z.custom<"IPv4" | "IPv6">(
      (value) => value === "IPv4" || value === "IPv6",
      coded("MSM_SLICE_ADDRESS", "must be IPv4 or IPv6; FQDN is not served"),
    ),
    endpoints: z.array(endpoint).max(1000).nullish(),
    ports: z.array(slicePort).max(100).nullish(),
  },
  build({ id, metadata, document, refuse }) {
    const serviceName = metadata.labels?.[serviceNameLabel];
    if (serviceName === undefined) {
      const message = `must have the label ${serviceNameLabel} with the Service's name`;
      refuse("MSM_SLICE_SERVICE", ["metadata", "labels"], message);
    }
    const written = document.endpoints ?? [];
    checkAddresses(written, document.addressType, refuse);
    return {
      id,
      serviceName: serviceName ?? "",
      endpoints: written.flatMap(toEndpoint),
      ports: (document.ports ?? []).flatMap(toPort),
    };
  },
});

// Kubernetes says of `ready` and `serving` that unknown counts as true, and that only the first address counts.
function toEndpoint(from: z.output<typeof endpoint>): SliceEndpoint[] {
  const { ready, serving, terminating } = from.conditions ?? {};
  const isDraining = terminating === true && serving !== false;
  if (!isDraining && (terminating === true || ready === false)) return [];
  return [{ address: from.addresses[0]!, isDraining }];
}

function toPort(from: z.output<typeof slicePort>): SlicePort[] {
  if (from.port == null) return [];
  return [{ name: from.name ?? "", port: from.port, protocol: from.protocol ?? "TCP" }];
}

function checkAddresses(
  from: readonly z.output<typeof endpoint>[],
  type: "IPv4" | "IPv6",
  refuse: Refuse,
): void {
  for (const [index, { addresses }] of from.entries()) {
    const address = addresses[0]!;
    if (isAddress(address) && `IPv${isIP(address)}` === type) continue;
    const path = ["endpoints", index, "addresses", 0];
    refuse("MSM_SLICE_ADDRESS", path, `must be an ${type} address, not "${address.slice(0, 80)}"`);
  }
}
