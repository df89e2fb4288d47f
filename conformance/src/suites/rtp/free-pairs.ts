// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { bindUdpPair } from "@msm/deploy";

/** Even ports whose successors are free as well. All are held while looking. */
export async function freePairs(count: number): Promise<readonly number[]> {
  const pairs = await Promise.all(Array.from({ length: count }, () => bindUdpPair("127.0.0.1")));
  for (const pair of pairs) pair.close();
  return pairs.map((pair) => pair.rtpPort);
}
