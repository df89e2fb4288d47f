// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { SecureContextOptions } from "node:tls";
import { createSecureContext } from "node:tls";
import type { PeerValidation, TlsIdentity, TlsParameters } from "./tls-plan.ts";

/** What a context is made from. */
export interface ContextParts {
  readonly parameters: TlsParameters;
  readonly identities: readonly TlsIdentity[];
  readonly validation?: PeerValidation;
}

/** What Node makes OpenSSL's context of one side of a connection from. */
export function contextOptions({ parameters, identities, validation }: ContextParts): SecureContextOptions {
  const { minVersion, maxVersion, cipherSuites, curves, signatureAlgorithms } = parameters;
  return {
    ...{ minVersion, maxVersion },
    ...(identities.length === 0 ? {} : { cert: identities.map(({ certificate }) => certificate) }),
    ...(identities.length === 0 ? {} : { key: identities.map(({ privateKey }) => privateKey) }),
    ...(validation === undefined ? {} : { ca: validation.authorities }),
    ...(cipherSuites.length === 0 ? {} : { ciphers: cipherSuites.join(":"), honorCipherOrder: true }),
    ...(curves.length === 0 ? {} : { ecdhCurve: curves.join(":") }),
    ...(signatureAlgorithms.length === 0 ? {} : { sigalgs: signatureAlgorithms.join(":") }),
  };
}

/** Makes a context only to see that it can be made. Throws where OpenSSL does not take a part. */
export function tryContext(parts: ContextParts): void {
  createSecureContext(contextOptions(parts));
}
