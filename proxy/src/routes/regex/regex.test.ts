// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileRegex } from "./compile-regex.ts";
import { RegexError } from "./parse-regex.ts";
import { isSubstitutionOf, matchesRegex, replaceRegex } from "./run-regex.ts";

const whole = (pattern: string, text: string): boolean => matchesRegex(compileRegex(pattern), text);
const replace = (pattern: string, text: string, substitution: string): string =>
  replaceRegex(compileRegex(pattern), text, substitution);

describe("a match", () => {
  test.each([
    ["/cams/[a-z]+", "/cams/lobby", true],
    ["/cams/[a-z]+", "/cams/lobby2", false],
    ["/(a|bc){2,3}", "/abcbc", true],
    ["/(a|bc){2,3}", "/a", false],
    ["^/x$", "/x", true],
    [".*\\.sdp", "/hall/main.sdp", true],
    ["[^/]+", "a/b", false],
    ["[\\d_-]*", "1_2-3", true],
    ["[]a]+", "]a", true],
    ["(?:a|)b", "b", true],
    ["(?P<name>\\w+)", "é", false],
    [".", "😀", true],
    ["", "", true],
  ])("of %s with %s is %s", (pattern, text, expected) => {
    expect(whole(pattern, text)).toBe(expected);
  });

  test("takes no more time for patterns that others try in vain for hours", () => {
    expect(whole("(a+)+(a|a)*b", "a".repeat(5_000))).toBe(false);
  });

  test("is what JavaScript finds, for patterns of one meaning in both", () => {
    const atom = fc.constantFrom("a", "b", "[ab]", "[^a]", ".", "(a|b)", "(?:ab)", "(a*)", "a??");
    const suffix = fc.constantFrom("", "", "*", "+", "?", "{1,2}", "+?");
    const part = fc.tuple(atom, suffix).map(([a, s]) => (a.endsWith("??") ? a : a + s));
    const pattern = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(""));
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (source, input) => {
        expect(whole(source, input)).toBe(new RegExp(`^(?:${source})$`, "u").test(input));
        let lastEnd = -1;
        const expected = input.replaceAll(new RegExp(source, "gu"), (match, ...rest) => {
          const at = Number(rest.find((value) => typeof value === "number"));
          const isSkipped = match === "" && at === lastEnd;
          lastEnd = at + match.length;
          return isSkipped ? "" : `<${match}>`;
        });
        expect(replace(source, input, "<\\0>")).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });
});

test("a replacement fills in groups", () => {
  expect(replace("^/cams/([^/]+)/(\\d+)", "/cams/lobby/7?x", "/\\2/\\1")).toBe("/7/lobby?x");
  expect(replace("a", "banana", "\\\\")).toBe("b\\n\\n\\");
  expect(replace("(a)|b", "b", "[\\1]")).toBe("[]");
});

test("a substitution names only groups that there are", () => {
  const program = compileRegex("(a)");
  expect(["\\1", "x", "\\\\9"].every((text) => isSubstitutionOf(program, text))).toBe(true);
  expect(["\\2", "\\x", "x\\"].some((text) => isSubstitutionOf(program, text))).toBe(false);
});

test.each([
  ...[
    "(a",
    "a)",
    "[a",
    "*a",
    "a**",
    "a{2",
    "a{3,2}",
    "a{1001}",
    "(?i)a",
    "(?=a)",
    "\\b",
    "\\1",
    "\\pL",
    "[z-a]",
  ],
  ...["[[:alpha:]]", "((a{100}){100}){100}", "\\", "^*"],
])("the pattern %s is refused", (pattern) => {
  expect(() => compileRegex(pattern)).toThrow(RegexError);
});

test("no pattern makes the compiler or a match fail otherwise than by refusing it", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (pattern, text) => {
      let program: ReturnType<typeof compileRegex>;
      try {
        program = compileRegex(pattern);
      } catch (error) {
        expect(error).toBeInstanceOf(RegexError);
        return;
      }
      expect(matchesRegex(program, text)).toBeTypeOf("boolean");
      expect(replaceRegex(program, text, "x")).toBeTypeOf("string");
    }),
    { numRuns: 2_000 },
  );
});
