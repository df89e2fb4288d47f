// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { lookup, Resolver } from "node:dns/promises";

/** The addresses of a name, of one family. */
export interface DnsAnswer {
  readonly addresses: readonly string[];
  /** For how long they are good; undefined where whoever answered does not say. */
  readonly ttlMs: number | undefined;
}

/**
 * Looks up the addresses of a name by `servers` (`ip:port`), or as the system does where there is none. An answer
 * without addresses means that the name has none. Rejects where nobody could tell.
 */
export type Lookup = (name: string, family: 4 | 6, servers: readonly string[]) => Promise<DnsAnswer>;

/** Twice this long, then longer: a lookup is given up well before anybody would wait for it. */
const TRY_MS = 2000;
const TRIES = 2;
/** There is no such name, or it has no address of the family. */
const EMPTY_CODES: ReadonlySet<unknown> = new Set(["ENOTFOUND", "ENODATA"]);

/** The `Lookup` of this machine. */
export const lookupName: Lookup = async (name, family, servers) => {
  // Made anew each time, so that a changed resolv.conf counts.
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });
  if (servers.length > 0) resolver.setServers(servers);
  const asked = await settle(() => queryServers(resolver, name, family));
  if ("answer" in asked && asked.answer.addresses.length > 0) return asked.answer;
  if (servers.length === 0) {
    // Names of /etc/hosts and of search domains are known to the system's own resolver alone, which tells no TTL.
    const found = await settle(() => lookup(name, { family, all: true }));
    if ("answer" in found && found.answer.length > 0) {
      return { addresses: found.answer.map(({ address }) => address), ttlMs: undefined };
    }
  }
  if ("error" in asked) throw asked.error;
  return asked.answer;
};

async function queryServers(resolver: Resolver, name: string, family: 4 | 6): Promise<DnsAnswer> {
  try {
    const records =
      family === 4
        ? await resolver.resolve4(name, { ttl: true })
        : await resolver.resolve6(name, { ttl: true });
    const ttlMs = Math.min(...records.map(({ ttl }) => ttl)) * 1000;
    return { addresses: records.map(({ address }) => address), ttlMs };
  } catch (error) {
    if (EMPTY_CODES.has((error as NodeJS.ErrnoException).code)) return { addresses: [], ttlMs: undefined };
    throw error;
  }
}

async function settle<T>(
  ask: () => Promise<T>,
): Promise<{ readonly answer: T } | { readonly error: unknown }> {
  try {
    return { answer: await ask() };
  } catch (error) {
    return { error };
  }
}
