// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { CodeEntry } from "../codes.ts";

/** The codes with which TLS of listeners and secrets are refused. */
export const tlsCodes = [
  {
    code: "MSM_TLS_CERTIFICATE",
    means: "A certificate or its key cannot be read, or they do not belong together.",
    remedy: "Give both as PEM, the certificate first in its chain, the key without a password.",
  },
  {
    code: "MSM_TLS_VALIDATION",
    means: "Whose certificates are taken is not said in a way that keeps anybody out.",
    remedy: "Give `trusted_ca` with certificates in PEM, and names as URI or DNS.",
  },
  {
    code: "MSM_TLS_PARAMETERS",
    means: "A version, cipher suite, curve, signature algorithm or ALPN name cannot be used.",
    remedy: "Correct or remove the field that is named; OpenSSL's own choice is a good one.",
  },
] as const satisfies readonly CodeEntry[];
