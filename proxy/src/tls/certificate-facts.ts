// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from "node:crypto";
import { type CertificateName, subjectAltNames } from "./subject-alt-names.ts";

/** What people want to know of a certificate. */
export interface CertificateFacts {
  /** Hexadecimal, in lower case. */
  readonly serialNumber: string;
  readonly names: readonly CertificateName[];
  readonly validFrom: Date;
  readonly validTo: Date;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const DAY_MS = 24 * 3600 * 1000;

/** The certificates of a PEM text, one after the other. */
export function pemCertificates(pem: string): readonly string[] {
  return pem.match(CERTIFICATE) ?? [];
}

/** Reads every certificate of a PEM text that was checked before. */
export function certificateFacts(pem: string): readonly CertificateFacts[] {
  return pemCertificates(pem).map((block) => {
    const { serialNumber, subjectAltName = "", validFrom, validTo } = new X509Certificate(block);
    return {
      serialNumber: serialNumber.toLowerCase(),
      names: subjectAltNames(subjectAltName),
      validFrom: new Date(validFrom),
      validTo: new Date(validTo),
    };
  });
}

/** Whole days that are left until `validTo`; 0 where it has passed. */
export function daysLeft({ validTo }: Pick<CertificateFacts, "validTo">, nowMs: number): number {
  return Math.max(0, Math.floor((validTo.getTime() - nowMs) / DAY_MS));
}
