// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { defineKind } from "./define-kind.ts";
import { ignored } from "./field-schemas.ts";
import { readCertificates, validityOf } from "./pem.ts";

const AUTHORITIES = "ca.crt";

/**
 * A ConfigMap of Kubernetes. Where it has an entry `ca.crt`, those are authorities whose certificates clients may show;
 * others are for other programs.
 */
export const configMap = defineKind({
  kind: "ConfigMap",
  apiVersions: ["v1"],
  shape: {
    data: z.record(z.string(), z.string()).default({}),
    binaryData: ignored,
    immutable: ignored,
  },
  build({ id, document, refuse }) {
    const text = document.data[AUTHORITIES];
    const certificates = text === undefined ? [] : readCertificates(text);
    if (certificates === undefined) {
      const message = "must be certificates in PEM, and nothing else";
      refuse("MSM_SECRET_CERTIFICATE", ["data", AUTHORITIES], message);
    }
    const isUsable = certificates !== undefined && certificates.length > 0;
    return { id, authorities: text, validity: isUsable ? validityOf(certificates) : undefined };
  },
});
