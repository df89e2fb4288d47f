// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { lowerCase } from "@msm/filter-sdk/assembly/signalling";
import { pathOf } from "./rtsp-url";

/** Whether an Authorization field holds for any request, and so can be sent again: Basic does, Digest is signed. */
export function isReusable(authorization: string): bool {
  return lowerCase(authorization.substring(0, 6)) == "basic ";
}

/**
 * The URL to send a request to, so that what the client signed holds. A digest covers the URL as the client wrote it
 * (RFC 2617 section 3.2.2.2); where it names the same path as `url`, servers find the same stream by it.
 */
export function signedUrl(url: string, authorization: string): string {
  if (lowerCase(authorization.substring(0, 7)) != "digest ") return url;
  const from = authorization.indexOf('uri="');
  const to = from < 0 ? -1 : authorization.indexOf('"', from + 5);
  if (to < 0) return url;
  const signed = authorization.substring(from + 5, to);
  return withoutSlash(pathOf(signed)) == withoutSlash(pathOf(url)) ? signed : url;
}

function withoutSlash(path: string): string {
  return path.endsWith("/") ? path.substring(0, path.length - 1) : path;
}
