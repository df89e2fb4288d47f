// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FilterHarness } from "./filter-harness.ts";

const ECHO = fileURLToPath(new URL("../testdata/echo-config", import.meta.url));

/** Arrays and objects inside one another that the reader follows. */
const MAX_DEPTH = 12;

const load = (config: unknown): Promise<FilterHarness> => FilterHarness.load(ECHO, config);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What the filter logged, or the error with which it refused. */
async function outcome(config: unknown): Promise<string> {
  return await load(config).then(
    (harness) => harness.logs.map((line) => line.message).join("\n"),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

test("reads the strings that JSON can write", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", maxLength: 40 }), async (text) => {
      expect(await outcome({ text })).toBe(text);
    }),
  );
});

test.each([0, -1, 90_000, 1.5, 1e-3, 1e21])("reads the number %f", async (number) => {
  expect(Number(await outcome({ number }))).toBe(number);
});

test("passes over members that it does not ask for, whatever they hold", async () => {
  const json = fc.jsonValue({ maxDepth: MAX_DEPTH });
  await fc.assert(
    fc.asyncProperty(json, json, async (before, after) => {
      expect(await outcome({ before, flag: true, after })).toBe("true");
    }),
  );
});

test("takes white space everywhere", async () => {
  const text = ' \r\n{ "a" : [ 1 , { } , [ ] ] ,\t"flag" : false } \n';
  expect(await outcome(utf8(text))).toBe("false");
});

test.each([
  '{"flag":true',
  '{"flag":true,}',
  '{"flag" true}',
  '{"flag":tru}',
  '{"a":[1,]}',
  '{"a":[1 2]}',
  '{"text":"\\x"}',
  '{"text":"\\u12g4"}',
  '{"text":"open',
  '{"a":1}}',
  '{"a":}',
  "[]",
  "",
])("refuses %s and names the byte", async (text) => {
  expect(await outcome(utf8(text))).toMatch(/MSM_FILTER_CONFIG.*byte \d+: /);
});

test("refuses what is nested too deeply instead of running out of stack", async () => {
  const text = `{"a":${"[".repeat(100_000)}`;
  expect(await outcome(utf8(text))).toContain("too deep");
});

test("garbage is refused or taken, and never ends in a trap", async () => {
  const piece = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    "\\u",
    "1",
    "-",
    "true",
    "null",
    " ",
    "a",
    "\0",
  );
  const text = fc.array(piece, { maxLength: 30 }).map((pieces) => utf8(`{${pieces.join("")}`));
  const bytes = fc.uint8Array({ maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(fc.oneof(text, bytes), async (config) => {
      const result = await load(config).then(
        () => "taken",
        (error: Error) => error.message,
      );
      if (result !== "taken") expect(result).toMatch(/refused its configuration; it logged: byte \d+: /);
    }),
    { numRuns: 500 },
  );
});

test("reading a property leaves no memory behind, however often sessions open", async () => {
  const harness = await load({});
  const heapEnd = (): number => {
    harness.streams();
    return Number(/^source 15 heap (\d+)$/.exec(harness.logs.at(-1)?.message ?? "")?.[1]);
  };
  harness.openSession(0);
  const before = heapEnd();
  for (let i = 0; i < 10_000; i++) harness.openSession(i % 7);
  // What making the log line itself takes.
  expect(heapEnd() - before).toBeLessThan(1_000);
});
