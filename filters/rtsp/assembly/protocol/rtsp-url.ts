// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { lowerCase, readDecimal } from "@msm/filter-sdk/assembly/signalling";

const SCHEME = "rtsp://";
const SECURE_SCHEME = "rtsps://";

/** An RTSP URL (RFC 2326 section 3.2). */
export class RtspUrl {
  constructor(
    /** Host and port as they stand, without a user. */
    readonly authority: string,
    /** Lower case, IPv6 in brackets. */
    readonly host: string,
    /** With its query; `/` at least. */
    readonly path: string,
    /** `rtsps://` where it was written so: a client in TLS goes on with what it is given. */
    readonly scheme: string = SCHEME,
  ) {}

  /** Reads a URL; null where it is none. */
  static parse(text: string): RtspUrl | null {
    const lower = lowerCase(text.substring(0, SECURE_SCHEME.length));
    const isSecure = lower == SECURE_SCHEME;
    if (!isSecure && !lower.startsWith(SCHEME)) return null;
    const scheme = isSecure ? SECURE_SCHEME : SCHEME;
    const from = scheme.length;
    let slash = text.indexOf("/", from);
    const query = text.indexOf("?", from);
    if (slash < 0 || (query >= 0 && query < slash)) slash = query >= 0 ? query : text.length;
    // A user and a password are for the client to put into Authorization; they go nowhere.
    const userEnd = text.substring(from, slash).lastIndexOf("@");
    const authority = text.substring(userEnd < 0 ? from : from + userEnd + 1, slash);
    const host = hostOf(authority);
    if (host.length == 0) return null;
    const path = text.substring(slash);
    return new RtspUrl(authority, host, path.startsWith("/") ? path : "/" + path, scheme);
  }

  toString(): string {
    return this.scheme + this.authority + this.path;
  }
}

/** The path of a URL, or the text itself where it is a relative one. */
export function pathOf(text: string): string {
  const url = RtspUrl.parse(text);
  return url == null ? text : url.path;
}

/** A URL or a relative reference, resolved as RTSP software does: behind its base, not instead of its last segment. */
export function resolveUrl(base: string, reference: string): string {
  if (reference.length == 0 || reference == "*") return base;
  if (RtspUrl.parse(reference) != null) return reference;
  if (reference.startsWith("/")) {
    const url = RtspUrl.parse(base);
    if (url != null) return url.scheme + url.authority + reference;
  }
  return base.endsWith("/") || reference.startsWith("?") ? base + reference : base + "/" + reference;
}

/** `url` with a slash at its end, for what is to be resolved against it. */
export function asBase(url: string): string {
  return url.endsWith("/") ? url : url + "/";
}

function hostOf(authority: string): string {
  const bracket = authority.lastIndexOf("]");
  const colon = authority.indexOf(":", max(bracket, 0));
  if (colon >= 0 && readDecimal(authority.substring(colon + 1), 65_535) < 0) return "";
  if (authority.startsWith("[") != bracket > 0) return "";
  return lowerCase(colon < 0 ? authority : authority.substring(0, colon));
}
