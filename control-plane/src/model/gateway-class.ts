// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { defineKind } from "./define-kind.ts";
import { unsupported } from "./field-schemas.ts";
import { gatewayGroup, meshDomain } from "./metadata.ts";

/** The controller name of GatewayClasses that are ours to serve. */
export const controllerName = `${meshDomain}/gateway-controller`;

/** Says which controller serves the Gateways of a class; those of another's are left alone. */
export const gatewayClass = defineKind({
  kind: "GatewayClass",
  apiVersions: [`${gatewayGroup}/v1`],
  isNamespaced: false,
  shape: {
    spec: z.strictObject({
      controllerName: z.string().min(1).max(253),
      description: z.string().optional(),
      parametersRef: unsupported("parameters are not served; configure each Gateway"),
    }),
  },
  build: ({ id, document }) => ({ id, isOurs: document.spec.controllerName === controllerName }),
});
