// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { TextTest } from "../routes/route-plan.ts";

/** A certificate with its chain, and the key that fits it, as PEM. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly privateKey: string;
  /** Where the certificate stands, for people: the name of a file, or `<inline>`. */
  readonly path: string;
}

/** A name in a certificate, by its kind. */
export interface NameTest {
  readonly kind: "URI" | "DNS";
  readonly test: TextTest;
}

/** Whose certificates are taken. */
export interface PeerValidation {
  /** Certificates of authorities, as PEM. */
  readonly authorities: string;
  /** As `path` of an identity. */
  readonly path: string;
  /** A certificate has to have a name that passes one of these; any will do where there are none. */
  readonly names: readonly NameTest[];
}

/** Versions of TLS that are spoken. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** What is negotiated. */
export interface TlsParameters {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** For TLS 1.2, by OpenSSL's names; OpenSSL's own choice where there are none. */
  readonly cipherSuites: readonly string[];
  readonly curves: readonly string[];
  readonly signatureAlgorithms: readonly string[];
  /** What ALPN (RFC 7301) may agree on; there is none where it is empty. */
  readonly alpnProtocols: readonly string[];
}

/** TLS of a listener, all of it there. */
export interface ServerTlsPlan {
  readonly parameters: TlsParameters;
  /** At least one; each with a key of another kind. */
  readonly identities: readonly TlsIdentity[];
  /** Clients are asked for a certificate where it is set. */
  readonly validation?: PeerValidation;
  /** Whether a client without a certificate is refused. */
  readonly requiresCertificate: boolean;
}

/** TLS of connections to the endpoints of a cluster. */
export interface ClientTlsPlan {
  readonly parameters: TlsParameters;
  /** One at most. */
  readonly identities: readonly TlsIdentity[];
  readonly validation: PeerValidation;
  /** Name that is sent in SNI; empty for none. */
  readonly serverName: string;
}
