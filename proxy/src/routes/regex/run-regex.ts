// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { RegexProgram, RegexStep } from "./compile-regex.ts";

/** Where a match and its groups stand: first and end of each, as indexes into code points; -1 where it took no part. */
type Captures = Int32Array;

/** Whether the whole text matches. Takes time in proportion to its length, whatever the pattern. */
export function matchesRegex(program: RegexProgram, text: string): boolean {
  const characters = codePoints(text);
  return run(program, characters, 0, true) !== undefined;
}

/**
 * Replaces every match in the text. In the substitution `\0` to `\9` stand for the match and its groups, and `\\` for a
 * backslash, as in RE2.
 */
export function replaceRegex(program: RegexProgram, text: string, substitution: string): string {
  const characters = codePoints(text);
  const part = (from: number, to: number): string => String.fromCodePoint(...characters.subarray(from, to));
  let result = "";
  let at = 0;
  let lastEnd = -1;
  while (at <= characters.length) {
    const found = run(program, characters, at, false);
    if (found === undefined) break;
    const [from = 0, to = 0] = found;
    result += part(at, from);
    // An empty match where the one before ended is none.
    if (to > from || from !== lastEnd)
      result += fill(substitution, (group) => part(...rangeOf(found, group)));
    lastEnd = to;
    // An empty match moves on by a character, which stays.
    if (to === from) result += part(to, to + 1);
    at = to === from ? to + 1 : to;
  }
  return at < characters.length ? result + part(at, characters.length) : result;
}

/** Whether a substitution only names groups that the pattern has. */
export function isSubstitutionOf(program: RegexProgram, substitution: string): boolean {
  for (const [, character = ""] of substitution.matchAll(/\\(.?)/gs)) {
    if (character === "\\") continue;
    if (!/^\d$/.test(character) || Number(character) > program.groups) return false;
  }
  return true;
}

function fill(substitution: string, groupText: (group: number) => string): string {
  return substitution.replaceAll(/\\(.)/gs, (_, character: string) =>
    character === "\\" ? "\\" : groupText(Number(character)),
  );
}

function rangeOf(captures: Captures, group: number): [number, number] {
  const [from = -1, to = -1] = captures.subarray(2 * group, 2 * group + 2);
  return from < 0 || to < 0 ? [0, 0] : [from, to];
}

function codePoints(text: string): Uint32Array {
  return Uint32Array.from(text, (character) => character.codePointAt(0)!);
}

interface Thread {
  readonly step: number;
  readonly captures: Captures;
}

/**
 * Follows all ways through the program at once, so that none is tried twice at one character. Where `isWhole`, only
 * the text from `start` to its end is a match; otherwise the first from `start` on, by the preferences of the pattern.
 */
function run(
  { steps, groups }: RegexProgram,
  text: Uint32Array,
  start: number,
  isWhole: boolean,
): Captures | undefined {
  const empty = new Int32Array(2 * groups + 2).fill(-1);
  const marks = new Int32Array(steps.length).fill(-1);
  let threads: Thread[] = [];
  let found: Captures | undefined;
  for (let at = start; at <= text.length; at++) {
    const next: Thread[] = [];
    const canBegin = found === undefined && (at === start || !isWhole);
    if (canBegin) follow({ steps, text, at, marks }, 0, empty, threads);
    for (const { step, captures } of threads) {
      const taken = steps[step]!;
      if (taken.op === "match") {
        if (isWhole && at < text.length) continue;
        found = captures;
        // Whatever comes after is less preferred.
        break;
      }
      if (taken.op === "set" && at < text.length && holds(taken.ranges, text[at]!)) {
        follow({ steps, text, at: at + 1, marks }, step + 1, captures, next);
      }
    }
    threads = next;
    if (threads.length === 0 && (found !== undefined || isWhole)) break;
  }
  return found;
}

interface Place {
  readonly steps: readonly RegexStep[];
  readonly text: Uint32Array;
  readonly at: number;
  /** Per step, the character at which it was reached last. */
  readonly marks: Int32Array;
}

/** Adds the steps that can be reached without a character, the preferred ones first. */
function follow(place: Place, from: number, captures: Captures, into: Thread[]): void {
  const { steps, text, at, marks } = place;
  const pending: Thread[] = [{ step: from, captures }];
  for (let thread = pending.pop(); thread !== undefined; thread = pending.pop()) {
    const { step: number } = thread;
    if (marks[number] === at) continue;
    marks[number] = at;
    const step = steps[number]!;
    const go = (to: number, taken = thread.captures): void =>
      void pending.push({ step: to, captures: taken });
    switch (step.op) {
      case "jump":
        go(step.to);
        break;
      case "split":
        go(step.second);
        go(step.first);
        break;
      case "save":
        go(number + 1, thread.captures.with(step.slot, at));
        break;
      case "begin":
        if (at === 0) go(number + 1);
        break;
      case "end":
        if (at === text.length) go(number + 1);
        break;
      default:
        into.push(thread);
    }
  }
}

function holds(ranges: readonly number[], code: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (code >= ranges[i]! && code <= ranges[i + 1]!) return true;
  }
  return false;
}
