// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isIP, isIPv4, isIPv6 } from "node:net";
import { KnownRegex } from "../../gen/validate/validate_pb.js";

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The characters of RFC 3986 section 2, and percent-encoded octets. */
const URI_CHARACTERS = /^(?:[a-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9a-f]{2})*$/i;

/** A host name: labels of letters, digits and inner hyphens, at most 253 characters (RFC 1034 section 3.1). */
export function isHostname(value: string): boolean {
  const name = value.endsWith(".") ? value.slice(0, -1) : value;
  return name.length <= 253 && name.split(".").every((label) => LABEL.test(label));
}

/** An IPv4 or IPv6 address, the latter without brackets. */
export function isIp(value: string): boolean {
  return isIP(value) !== 0;
}

/** An IPv4 address in dotted decimal. */
export function isIpv4(value: string): boolean {
  return isIPv4(value);
}

/** An IPv6 address without brackets. */
export function isIpv6(value: string): boolean {
  return isIPv6(value);
}

/** A host name or an IP address. */
export function isAddress(value: string): boolean {
  return isHostname(value) || isIp(value);
}

/** An absolute URI: a scheme, then characters that a URI may hold (RFC 3986 section 3). */
export function isUri(value: string): boolean {
  return SCHEME.test(value) && isUriReference(value);
}

/** A URI or a relative reference (RFC 3986 section 4.1). */
export function isUriReference(value: string): boolean {
  return URI_CHARACTERS.test(value);
}

/** A UUID in the usual text form (RFC 4122 section 3). */
export function isUuid(value: string): boolean {
  return UUID.test(value);
}

/**
 * The pattern of a well_known_regex rule (validate.proto KnownRegex): a header name (RFC 7230 section 3.2, with the
 * colon that pseudo-headers begin with) or a header value. Not strict means only: no NUL, CR or LF.
 */
export function headerRegex(
  known: number,
  strict: boolean,
): { readonly what: string; readonly pattern: RegExp } | undefined {
  if (known === KnownRegex.UNKNOWN) return undefined;
  // biome-ignore-start lint/suspicious/noControlCharactersInRegex: control characters are what is forbidden.
  if (!strict) return { what: "free of NUL, CR and LF", pattern: /^[^\0\r\n]*$/ };
  if (known === KnownRegex.HTTP_HEADER_NAME) {
    return { what: "an HTTP header name", pattern: /^:?[0-9a-z!#$%&'*+\-.^_|~`]+$/i };
  }
  return { what: "an HTTP header value", pattern: /^[^\0-\x08\x0a-\x1f\x7f]*$/ };
  // biome-ignore-end lint/suspicious/noControlCharactersInRegex: control characters are what is forbidden.
}
