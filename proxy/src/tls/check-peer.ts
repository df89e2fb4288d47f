// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { X509Certificate } from "node:crypto";
import { matchesText } from "../routes/match-text.ts";
import { subjectAltNames } from "./subject-alt-names.ts";
import type { NameTest, PeerValidation } from "./tls-plan.ts";

/** What is wrong with a peer, by the last part of Envoy's statistic for it. */
export type PeerFault = "fail_verify_no_cert" | "fail_verify_error" | "fail_verify_san";

/** What a handshake showed of a peer. */
export interface ShownPeer {
  readonly certificate: X509Certificate | undefined;
  /** Whether it leads to one of the authorities, and is valid now. */
  readonly isTrusted: boolean;
}

/** Checks a client's certificate; undefined where nothing is wrong. */
export function checkPeer(
  { certificate, isTrusted }: ShownPeer,
  { names }: Pick<PeerValidation, "names">,
  isRequired: boolean,
): PeerFault | undefined {
  if (certificate === undefined) return isRequired ? "fail_verify_no_cert" : undefined;
  if (!isTrusted) return "fail_verify_error";
  return hasName(certificate.subjectAltName ?? "", names) ? undefined : "fail_verify_san";
}

/** Whether one of the names of a certificate passes one of the tests. Without tests any certificate will do. */
export function hasName(subjectAltName: string, tests: readonly NameTest[]): boolean {
  if (tests.length === 0) return true;
  const names = subjectAltNames(subjectAltName);
  return tests.some((test) => names.some(({ kind, value }) => test.kind === kind && passes(test, value)));
}

/** A wildcard in a certificate stands for one label (RFC 6125 section 6.4.3), and only for whole names. */
function passes({ kind, test }: NameTest, value: string): boolean {
  if (kind === "DNS" && test.kind === "exact" && value.startsWith("*.")) {
    const name = test.value.toLowerCase();
    const dot = name.indexOf(".");
    return dot > 0 && name.slice(dot) === value.slice(1).toLowerCase();
  }
  return matchesText(kind === "DNS" ? caseless(test) : test, value);
}

// Names of hosts are the same in either case (RFC 4343).
function caseless(test: NameTest["test"]): NameTest["test"] {
  return test.kind === "regex" ? test : { ...test, isCaseSensitive: false };
}
