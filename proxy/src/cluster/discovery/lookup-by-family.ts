// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { DnsLookupFamily } from "./dns-plan.ts";
import type { DnsAnswer, Lookup } from "./lookup-name.ts";

const FAMILIES: Readonly<Record<DnsLookupFamily, readonly (4 | 6)[]>> = {
  AUTO: [6, 4],
  V4_ONLY: [4],
  V6_ONLY: [6],
  V4_PREFERRED: [4, 6],
  ALL: [4, 6],
};

/**
 * The addresses of a name as Envoy's `DnsLookupFamily` wants them: AUTO and V4_PREFERRED ask for the second family
 * where the first has none or nobody could tell, ALL takes both. Rejects where what is known would not be the whole answer.
 */
export async function lookupByFamily(
  lookup: Lookup,
  name: string,
  family: DnsLookupFamily,
  servers: readonly string[],
): Promise<DnsAnswer> {
  const [first, second] = FAMILIES[family];
  if (second === undefined) return lookup(name, first!, servers);
  if (family === "ALL") {
    const answers = await Promise.all([lookup(name, first!, servers), lookup(name, second, servers)]);
    const ttls = answers.flatMap(({ ttlMs }) => ttlMs ?? []);
    return {
      addresses: answers.flatMap(({ addresses }) => addresses),
      ttlMs: ttls.length === 0 ? undefined : Math.min(...ttls),
    };
  }
  const preferred = await lookup(name, first!, servers).catch(() => undefined);
  if (preferred !== undefined && preferred.addresses.length > 0) return preferred;
  const other = await lookup(name, second, servers);
  if (preferred === undefined && other.addresses.length === 0) {
    throw new Error(`no answer about IPv${first} addresses of ${name}, and it has no others`);
  }
  return other;
}
