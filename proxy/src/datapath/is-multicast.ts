// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isIPv6 } from "node:net";

const FIRST_IPV4 = 224;
const LAST_IPV4 = 239;

/** Whether an IP address is that of a multicast group: 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291 section 2.7). */
export function isMulticast(ip: string): boolean {
  if (isIPv6(ip)) return /^ff[0-9a-f]{2}:/i.test(ip);
  const first = Number.parseInt(ip, 10);
  return first >= FIRST_IPV4 && first <= LAST_IPV4;
}
