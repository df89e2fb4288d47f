// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { HashPolicy } from "../plan.ts";
import { type Hash64, xxHash64 } from "./xx-hash64.ts";

/**
 * Writes the hash of a session to `out`: of the client's address as text without its port, or of the key, as Envoy's
 * udp_proxy hashes them, so that both choose the same endpoint; or of `text`, where the policy is ours. Without a
 * policy it is drawn by lot.
 */
export function sessionHash(
  policy: HashPolicy | undefined,
  text: string,
  random: () => number,
  out: Hash64,
): void {
  if (policy === undefined) {
    out.high = Math.floor(random() * 2 ** 32);
    out.low = Math.floor(random() * 2 ** 32);
    return;
  }
  const bytes = Buffer.from(policy.kind === "KEY" ? policy.key : text);
  xxHash64(bytes, bytes.length, out);
}
