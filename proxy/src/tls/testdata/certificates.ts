// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { defaultTlsParameters } from "../../config/tls/read-tls-parameters.ts";
import type { NameTest, PeerValidation, ServerTlsPlan, TlsIdentity } from "../tls-plan.ts";

/** Names in `certificates.json`; what follows the colon is in the certificate. */
export type CertificateName =
  | "authority"
  /** DNS:cams.example.com, DNS:*.cams.example.com, IP:127.0.0.1; by authority. */
  | "server"
  /** DNS:cams.example.com; by authority. */
  | "renewed"
  /** The same with an RSA key. */
  | "rsaServer"
  /** URI:spiffe://mesh/ns/video/sa/player, DNS:player.example.com; by authority. */
  | "client"
  | "stranger"
  /** The URI of client; by stranger. */
  | "strangeClient";

/**
 * Certificates and keys for tests, good from 2020 to the end of 2119: made once by `openssl req` and `openssl ca`. They
 * guard nothing.
 */
export const certificates: Readonly<Record<CertificateName, Omit<TlsIdentity, "path">>> = JSON.parse(
  readFileSync(new URL("certificates.json", import.meta.url), "utf8"),
);

/** One of them as a plan has it. */
export function identity(name: CertificateName): TlsIdentity {
  return { ...certificates[name], path: "<inline>" };
}

/** Takes clients of the authority, with these names. */
export function validation(...names: readonly NameTest[]): PeerValidation {
  return { authorities: certificates.authority.certificate, path: "<inline>", names };
}

/** TLS with the certificate of `server`. */
export function serverTls(changes: Partial<ServerTlsPlan> = {}): ServerTlsPlan {
  return {
    ...{ parameters: defaultTlsParameters, identities: [identity("server")], requiresCertificate: false },
    ...changes,
  };
}

/** A test that one URI passes. */
export function uri(value: string, kind: "exact" | "prefix" = "exact"): NameTest {
  return { kind: "URI", test: { kind, value, isCaseSensitive: true } };
}
