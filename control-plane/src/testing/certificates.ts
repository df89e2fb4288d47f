// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** A certificate and its key, as PEM. */
export interface Certified {
  readonly certificate: string;
  readonly privateKey: string;
}

/** An authority of a test, which signs what it is asked to. */
export interface TestAuthority {
  readonly certificate: string;
  /** A certificate with these names: `DNS:localhost`, `IP:127.0.0.1`, `URI:spiffe://…`. */
  issue(...names: readonly string[]): Certified;
}

// The few pieces of DER (X.690) that a certificate (RFC 5280, section 4.1) is made of.
const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Uint8Array.of(tag, length), content]);
  return Buffer.concat([Uint8Array.of(tag, 0x82, length >> 8, length & 0xff), content]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const integer = (...bytes: readonly number[]): Buffer => der(0x02, Uint8Array.from(bytes));
const oid = (...bytes: readonly number[]): Buffer => der(0x06, Uint8Array.from(bytes));
const octets = (content: Uint8Array): Buffer => der(0x04, content);
const TRUE = Buffer.of(0x01, 0x01, 0xff);

const ECDSA_WITH_SHA256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
const COMMON_NAME = oid(0x55, 0x04, 0x03);
const BASIC_CONSTRAINTS = oid(0x55, 0x1d, 0x13);
const SUBJECT_ALT_NAME = oid(0x55, 0x1d, 0x11);

/** Makes an authority whose certificates are good for a day. */
export function testAuthority(name = "test authority"): TestAuthority {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const isAuthority = sequence(BASIC_CONSTRAINTS, TRUE, octets(sequence(TRUE)));
  const certificate = certify({ subject: name, publicKey, extensions: [isAuthority] }, name, privateKey);
  return {
    certificate,
    issue(...names) {
      const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const altNames = sequence(SUBJECT_ALT_NAME, octets(sequence(...names.map(generalName))));
      const subject = { subject: "peer", publicKey: own.publicKey, extensions: [altNames] };
      const pem = own.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
      return { certificate: certify(subject, name, privateKey), privateKey: pem };
    },
  };
}

interface Subject {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Uint8Array[];
}

function certify({ subject, publicKey, extensions }: Subject, issuer: string, key: KeyObject): string {
  const day = 24 * 3600 * 1000;
  const body = sequence(
    der(0xa0, integer(2)),
    der(0x02, Uint8Array.of(1), randomBytes(8)),
    ECDSA_WITH_SHA256,
    distinguished(issuer),
    sequence(utcTime(new Date(Date.now() - day)), utcTime(new Date(Date.now() + day))),
    distinguished(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = der(0x03, Uint8Array.of(0), sign("sha256", body, key));
  const base64 = sequence(body, ECDSA_WITH_SHA256, signature).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
}

function distinguished(name: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(name)))));
}

function utcTime(at: Date): Buffer {
  return der(0x17, Buffer.from(`${at.toISOString().replace(/[-:T]/g, "").slice(2, 14)}Z`));
}

// GeneralName: dNSName [2], uniformResourceIdentifier [6], iPAddress [7].
function generalName(text: string): Buffer {
  const colon = text.indexOf(":");
  const value = text.slice(colon + 1);
  if (text.startsWith("IP:")) return der(0x87, Uint8Array.from(value.split(".").map(Number)));
  return der(text.startsWith("URI:") ? 0x86 : 0x82, Buffer.from(value));
}
