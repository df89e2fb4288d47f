// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { defineKind } from "./define-kind.ts";
import { coded, ignored, port, unsupported } from "./field-schemas.ts";

/** A port of a Service; `name` joins it to the ports of its EndpointSlices. */
export interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
}

const servicePort = z.strictObject({
  name: z.string().default(""),
  port,
  protocol: z.enum(["TCP", "UDP", "SCTP"]).default("TCP"),
  targetPort: ignored,
  nodePort: ignored,
  appProtocol: ignored,
});

const isExternalName = (value: unknown): boolean => value === "ExternalName";
const isClientIp = (value: unknown): boolean => value === "ClientIP";

/** A Kubernetes Service; its endpoints come from EndpointSlices. */
export const service = defineKind({
  kind: "Service",
  apiVersions: ["v1"],
  shape: {
    spec: z.strictObject({
      ports: z.array(servicePort).max(1000).default([]),
      type: z
        .string()
        .refine(
          (value) => !isExternalName(value),
          coded("MSM_FIELD_UNSUPPORTED", "ExternalName is not served; write a Backend with addresses"),
        )
        .optional(),
      sessionAffinity: z
        .string()
        .refine(
          (value) => !isClientIp(value),
          coded("MSM_FIELD_UNSUPPORTED", "affinity by client address is not served; remove it"),
        )
        .optional(),
      externalName: unsupported("ExternalName is not served; write a Backend with addresses"),
      sessionAffinityConfig: unsupported("affinity by client address is not served; remove it"),
      // How others reach the Service: the proxies go to its endpoints directly.
      selector: ignored,
      clusterIP: ignored,
      clusterIPs: ignored,
      externalIPs: ignored,
      externalTrafficPolicy: ignored,
      internalTrafficPolicy: ignored,
      trafficDistribution: ignored,
      healthCheckNodePort: ignored,
      ipFamilies: ignored,
      ipFamilyPolicy: ignored,
      loadBalancerIP: ignored,
      loadBalancerClass: ignored,
      loadBalancerSourceRanges: ignored,
      allocateLoadBalancerNodePorts: ignored,
      publishNotReadyAddresses: ignored,
    }),
  },
  build: ({ id, document }) => ({
    id,
    ports: document.spec.ports.map(({ name, port, protocol }): ServicePort => ({ name, port, protocol })),
  }),
});
