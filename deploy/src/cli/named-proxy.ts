// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { ProxyAdmin } from "../mesh/proxy-admin.ts";

/** Where a proxy's admin is unless `--admin` says otherwise. */
export const DEFAULT_ADMIN = "http://127.0.0.1:15000";

/** The admin of a proxy that a command names by URL. */
export function namedProxy(url: string): ProxyAdmin {
  return new ProxyAdmin(url.replace(/^http:\/\//, "").replace(/\/$/, ""));
}

/** Says what to do when nobody answers there. */
export function noAnswer(url: string, cause: unknown): Error {
  return new Error(`No proxy answers at ${url}. Is it running? Name another with --admin.`, { cause });
}
