// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";

/** A control plane that can be asked. */
export interface AdsServer {
  /** A gRPC target: `127.0.0.1:15010`, `dns:control-plane:15010`. */
  readonly target: string;
  /** Plain text without. */
  readonly tls?: AdsTls;
}

/** How a control plane proves who it is, and this proxy who it is. */
export interface AdsTls {
  /** Authorities of the server's certificate; those of the system unless given. */
  readonly authorities?: PemSource;
  /** This proxy's certificate and key, for mutual TLS. */
  readonly identity?: { readonly certificate: PemSource; readonly privateKey: PemSource };
  /** The name in SNI, and in the server's certificate where `serverNames` does not say otherwise. */
  readonly serverName?: string;
  /** As in a certificate, `URI:spiffe://…` or `DNS:…`: the server has to have one of these. */
  readonly serverNames?: readonly string[];
}

/** PEM in a file, which is read anew for each connection so that it can be rotated, or as it is. */
export type PemSource = { readonly file: string } | { readonly text: string };

/** The bytes of a source. Throws where the file cannot be read. */
export function readPem(source: PemSource): Buffer {
  return "file" in source ? readFileSync(source.file) : Buffer.from(source.text);
}
