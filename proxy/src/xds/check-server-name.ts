// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { subjectAltNames } from "../tls/subject-alt-names.ts";

/**
 * Checks that a certificate has one of the names that are expected, each as `URI:…` or `DNS:…`; returns what is wrong.
 * `subjectAltName` is as Node shows it of a certificate.
 */
export function checkServerName(expected: readonly string[], subjectAltName: string): Error | undefined {
  const names = subjectAltNames(subjectAltName).map(({ kind, value }) => `${kind}:${value}`);
  if (names.some((name) => expected.includes(name))) return undefined;
  const wanted = expected.join(" or ");
  return new Error(`the control plane's certificate is for "${subjectAltName}", not for ${wanted}`);
}
