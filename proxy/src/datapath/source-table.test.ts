// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { SOCKADDR_BYTES, writeSockaddr } from "./sockaddr.ts";
import { SourceTable } from "./source-table.ts";

function sockaddr(address: string, port = 1): Uint32Array {
  const words = new Uint32Array(SOCKADDR_BYTES / 4);
  writeSockaddr(new Uint8Array(words.buffer), 0, { address, port });
  return words;
}

test("ports of one host are one source, and so are the hosts of an IPv6 /64", () => {
  const table = new SourceTable(undefined);
  table.add(1, sockaddr("192.0.2.1", 1), 0);
  table.add(2, sockaddr("192.0.2.1", 2), 0);
  table.add(3, sockaddr("2001:db8::1"), 0);
  table.add(4, sockaddr("2001:db8::ffff:1"), 0);
  const counts = ["192.0.2.1", "192.0.2.2", "2001:db8::2", "2001:db8:0:1::1"].map((address) =>
    table.sessionsOf(sockaddr(address), 0),
  );
  expect(counts).toEqual([2, 0, 2, 0]);
});

test("each source has a rate of its own, which its sessions share", () => {
  const table = new SourceTable(10);
  table.add(1, sockaddr("192.0.2.1", 1), 0);
  table.add(2, sockaddr("192.0.2.1", 2), 0);
  table.add(3, sockaddr("192.0.2.2"), 0);
  const passed = [1, 2, 3].map((session) => {
    let count = 0;
    for (let i = 0; i < 8; i++) if (table.take(session, 1, 0)) count++;
    return count;
  });
  expect(passed).toEqual([8, 2, 8]);
  expect(table.take(2, 1, 1_000)).toBe(true);
});

test("for any sequence of openings and closings it counts as a plain map does, and forgets who has none", () => {
  const step = fc.record({ session: fc.nat(15), host: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const table = new SourceTable(100);
      const open = new Map<number, number>();
      for (const { session, host } of steps) {
        if (open.delete(session)) table.remove(session);
        else {
          table.add(session, sockaddr(`192.0.2.${host}`, session + 1), 0);
          open.set(session, host);
        }
        const hosts = [...open.values()];
        expect(table.size).toBe(new Set(hosts).size);
        for (let each = 0; each < 4; each++)
          expect(table.sessionsOf(sockaddr(`192.0.2.${each}`), 0)).toBe(
            hosts.filter((h) => h === each).length,
          );
      }
    }),
    { numRuns: 60 },
  );
});
