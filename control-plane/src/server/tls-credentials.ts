// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { experimental, type ServerCredentials } from "@grpc/grpc-js";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";

/** PEM files of a TLS listener, read again when they change. */
export interface TlsFiles {
  /** The server's certificate and what leads to its authority. */
  readonly certificate: string;
  readonly privateKey: string;
  /** The authorities of client certificates: with them every client has to show one. */
  readonly clientAuthorities?: string;
}

/** Credentials that follow their files until `stop`. */
export interface TlsCredentials {
  readonly credentials: ServerCredentials;
  stop(): void;
}

interface Material {
  readonly certificate: Buffer;
  readonly privateKey: Buffer;
  readonly authorities: Buffer | undefined;
}

// Certificates live for an hour or longer; reading three small files costs nothing.
const LOOK_EVERY_MS = 2000;

/**
 * Makes server credentials from files. Throws when they cannot be used now; what is put there later and cannot be used
 * is logged, and the last good ones stay in force. Connections that stand are not touched.
 */
export function tlsCredentials(files: TlsFiles, clock: Clock, logger: Logger): TlsCredentials {
  let material = read(files);
  let problem = "";
  const identityListeners = new Set<experimental.IdentityCertificateUpdateListener>();
  const authorityListeners = new Set<experimental.CaCertificateUpdateListener>();
  const tell = (): void => {
    const { certificate, privateKey, authorities } = material;
    for (const listener of identityListeners) listener({ certificate, privateKey });
    if (authorities === undefined) return;
    for (const listener of authorityListeners) listener({ caCertificate: authorities });
  };
  const provider: experimental.CertificateProvider = {
    addIdentityCertificateListener: (listener) => {
      identityListeners.add(listener);
      // The library listens a moment before it can use what it hears.
      process.nextTick(tell);
    },
    removeIdentityCertificateListener: (listener) => void identityListeners.delete(listener),
    addCaCertificateListener: (listener) => {
      authorityListeners.add(listener);
      process.nextTick(tell);
    },
    removeCaCertificateListener: (listener) => void authorityListeners.delete(listener),
  };
  const look = (): void => {
    cancel = clock.after(LOOK_EVERY_MS, look);
    try {
      const next = read(files);
      problem = "";
      if (isSame(next, material)) return;
      material = next;
      tell();
      logger.info({ ...files }, "TLS files read again");
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== problem)
        logger.error({ ...files, problem: text }, "TLS files cannot be used; the last good ones stay");
      problem = text;
    }
  };
  let cancel = clock.after(LOOK_EVERY_MS, look);
  const isMutual = files.clientAuthorities !== undefined;
  // One provider gives both, so their order, which the library's types and its code see differently, does not matter.
  // Without authorities it takes none.
  const credentials = isMutual
    ? experimental.createCertificateProviderServerCredentials(provider, provider, true)
    : experimental.createCertificateProviderServerCredentials(provider, null, false);
  return { credentials, stop: () => cancel() };
}

function read({ certificate, privateKey, clientAuthorities }: TlsFiles): Material {
  const material = {
    certificate: readFileSync(certificate),
    privateKey: readFileSync(privateKey),
    authorities: clientAuthorities === undefined ? undefined : readFileSync(clientAuthorities),
  };
  // Throws when a file is no PEM or the key is not the certificate's, as between the writing of two files.
  createSecureContext({
    cert: material.certificate,
    key: material.privateKey,
    ...(material.authorities === undefined ? {} : { ca: material.authorities }),
  });
  return material;
}

function isSame(left: Material, right: Material): boolean {
  const sameAuthorities =
    left.authorities === undefined ||
    (right.authorities !== undefined && left.authorities.equals(right.authorities));
  return (
    sameAuthorities && left.certificate.equals(right.certificate) && left.privateKey.equals(right.privateKey)
  );
}
