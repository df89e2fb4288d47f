// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/** When a certificate is valid. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates of a text in PEM, the first one first; undefined where it is anything else. */
export function readCertificates(text: string): readonly X509Certificate[] | undefined {
  const blocks = text.match(BLOCK) ?? [];
  // What cannot be read would otherwise be left out by whoever uses the text.
  if (blocks.length === 0 || blocks.length !== text.split("-----BEGIN ").length - 1) return undefined;
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

/** The key of a text in PEM; undefined where it is none, or wants a password. Nothing of the text is told to anybody. */
export function readPrivateKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    return undefined;
  }
}

/** When all of the certificates are valid. */
export function validityOf(certificates: readonly X509Certificate[]): Validity {
  const times = (list: readonly string[]): readonly number[] => list.map((text) => Date.parse(text));
  return {
    notBefore: new Date(Math.max(...times(certificates.map(({ validFrom }) => validFrom)))),
    notAfter: new Date(Math.min(...times(certificates.map(({ validTo }) => validTo)))),
  };
}
