// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** A regular expression as a tree. Sets are pairs of code points, first and last, ascending. */
export type RegexNode =
  | { readonly kind: "set"; readonly ranges: readonly number[] }
  | { readonly kind: "begin" | "end" }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly RegexNode[] }
  | { readonly kind: "group"; readonly part: RegexNode; readonly index: number }
  | {
      readonly kind: "repeat";
      readonly part: RegexNode;
      readonly least: number;
      /** Infinity where there is no end. */
      readonly most: number;
      readonly isLazy: boolean;
    };

/** A regular expression that is wrong or uses what this proxy does not have. */
export class RegexError extends Error {}

const LAST_CODE_POINT = 0x10ffff;
const NEWLINE = 0x0a;
/** As in RE2: more copies of a part than this are refused. */
const MAX_REPEAT = 1_000;
const MAX_DEPTH = 100;

const DIGIT = [0x30, 0x39];
const WORD = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
const SPACE = [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20];
const CLASSES: Readonly<Record<string, readonly number[]>> = {
  d: DIGIT,
  D: invert(DIGIT),
  w: WORD,
  W: invert(WORD),
  s: SPACE,
  S: invert(SPACE),
};
const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** Parses the part of RE2's syntax that has neither flags nor names of Unicode classes. Throws RegexError. */
export function parseRegex(pattern: string): { readonly root: RegexNode; readonly groups: number } {
  return new Parser(pattern).parse();
}

class Parser {
  readonly #characters: readonly string[];
  #at = 0;
  #groups = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#characters = [...pattern];
  }

  parse(): { readonly root: RegexNode; readonly groups: number } {
    const root = this.#choice();
    if (this.#at < this.#characters.length) throw new RegexError("a ) has no ( before it");
    return { root, groups: this.#groups };
  }

  #choice(): RegexNode {
    if (++this.#depth > MAX_DEPTH) throw new RegexError(`groups are nested more than ${MAX_DEPTH} deep`);
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 ? parts[0]! : { kind: "choice", parts };
  }

  #sequence(): RegexNode {
    const parts: RegexNode[] = [];
    for (let next = this.#peek(); next !== "" && next !== "|" && next !== ")"; next = this.#peek()) {
      parts.push(this.#repeated(this.#atom()));
    }
    return { kind: "sequence", parts };
  }

  #atom(): RegexNode {
    const character = this.#next();
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        return { kind: "set", ranges: this.#set() };
      case ".":
        return { kind: "set", ranges: invert([NEWLINE, NEWLINE]) };
      case "^":
        return { kind: "begin" };
      case "$":
        return { kind: "end" };
      case "\\":
        return { kind: "set", ranges: this.#escape() };
      case "*":
      case "+":
      case "?":
        throw new RegexError(`${character} has nothing before it to repeat`);
      default:
        return { kind: "set", ranges: single(character) };
    }
  }

  #group(): RegexNode {
    let isCaptured = true;
    if (this.#take("?")) {
      if (this.#take(":")) isCaptured = false;
      else if (!this.#takeName()) throw new RegexError("flags and look-around, (?…), are not supported");
    }
    const index = isCaptured ? ++this.#groups : 0;
    const part = this.#choice();
    if (!this.#take(")")) throw new RegexError("a ( has no ) behind it");
    return isCaptured ? { kind: "group", part, index } : part;
  }

  /** `P<name>`: the name is of no use here, the group is. */
  #takeName(): boolean {
    const rest = this.#characters.slice(this.#at).join("");
    const name = /^P?<[A-Za-z_]\w*>/.exec(rest)?.[0];
    this.#at += name?.length ?? 0;
    return name !== undefined;
  }

  #repeated(part: RegexNode): RegexNode {
    let node = part;
    for (;;) {
      const bounds = this.#bounds();
      if (bounds === undefined) return node;
      // A repetition of a repetition multiplies the size of the program.
      if (node !== part) throw new RegexError("a repetition is repeated; put it in a group");
      if (part.kind === "begin" || part.kind === "end") throw new RegexError("an anchor is repeated");
      node = { kind: "repeat", part, ...bounds, isLazy: this.#take("?") };
    }
  }

  #bounds(): { readonly least: number; readonly most: number } | undefined {
    if (this.#take("*")) return { least: 0, most: Number.POSITIVE_INFINITY };
    if (this.#take("+")) return { least: 1, most: Number.POSITIVE_INFINITY };
    if (this.#take("?")) return { least: 0, most: 1 };
    if (this.#peek() !== "{") return undefined;
    const rest = this.#characters.slice(this.#at, this.#at + 12).join("");
    const match = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(rest);
    if (match === null) throw new RegexError("a { begins no repetition; write \\{ for the character");
    this.#at += match[0].length;
    const least = Number(match[1]);
    const most = match[2] === undefined ? least : match[3] ? Number(match[3]) : Number.POSITIVE_INFINITY;
    if (most < least || least > MAX_REPEAT || (most > MAX_REPEAT && most !== Number.POSITIVE_INFINITY)) {
      throw new RegexError(`the repetition ${match[0]} is not between 0 and ${MAX_REPEAT}`);
    }
    return { least, most };
  }

  #set(): readonly number[] {
    const isInverted = this.#take("^");
    const ranges: number[] = [];
    for (let isFirst = true; ; isFirst = false) {
      if (this.#peek() === "") throw new RegexError("a [ has no ] behind it");
      if (!isFirst && this.#take("]")) break;
      const low = this.#member();
      if (this.#peek() !== "-" || this.#peek(1) === "]") {
        ranges.push(...low);
        continue;
      }
      this.#next();
      const high = this.#member();
      const [first, end] = [low[0]!, high[0]!];
      if (low.length !== 2 || high.length !== 2 || low[1] !== first || high[1] !== end || end < first) {
        throw new RegexError("a range in [ ] does not go from one character up to another");
      }
      ranges.push(first, end);
    }
    return isInverted ? invert(ranges) : normalize(ranges);
  }

  #member(): readonly number[] {
    const character = this.#next();
    if (character === "[" && this.#peek() === ":") {
      throw new RegexError("classes by name, [: :], are not supported");
    }
    return character === "\\" ? this.#escape() : single(character);
  }

  #escape(): readonly number[] {
    const character = this.#next();
    const known = CLASSES[character];
    if (known !== undefined) return known;
    const control = CONTROLS[character];
    if (control !== undefined) return [control, control];
    if (character === "" || /[A-Za-z0-9]/.test(character)) {
      throw new RegexError(`\\${character} is not supported`);
    }
    return single(character);
  }

  #peek(ahead = 0): string {
    return this.#characters[this.#at + ahead] ?? "";
  }

  #next(): string {
    return this.#characters[this.#at++] ?? "";
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }
}

function single(character: string): readonly number[] {
  const code = character.codePointAt(0) ?? 0;
  return [code, code];
}

/** Ranges in ascending order without overlap. */
function normalize(ranges: readonly number[]): readonly number[] {
  const pairs = Array.from({ length: ranges.length / 2 }, (_, i) => [ranges[2 * i]!, ranges[2 * i + 1]!]);
  pairs.sort(([a = 0], [b = 0]) => a - b);
  const merged: number[] = [];
  for (const [low = 0, high = 0] of pairs) {
    const last = merged.length - 1;
    if (last > 0 && low <= merged[last]! + 1) merged[last] = Math.max(merged[last]!, high);
    else merged.push(low, high);
  }
  return merged;
}

function invert(ranges: readonly number[]): readonly number[] {
  const sorted = normalize(ranges);
  const gaps: number[] = [];
  let next = 0;
  for (let i = 0; i < sorted.length; i += 2) {
    if (sorted[i]! > next) gaps.push(next, sorted[i]! - 1);
    next = sorted[i + 1]! + 1;
  }
  if (next <= LAST_CODE_POINT) gaps.push(next, LAST_CODE_POINT);
  return gaps;
}
