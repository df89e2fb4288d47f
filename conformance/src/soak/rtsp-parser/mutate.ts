// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Dice } from "./dice.ts";

type Mutation = (text: string, dice: Dice) => string;

/** What a number may be replaced with: ends of ranges, and what is none. */
const NUMBERS = [
  "0",
  "-1",
  "1",
  "255",
  "65535",
  "65536",
  "4294967296",
  "99999999999999999999",
  "0x10",
  "1e9",
  "",
];
/** What stands between things in RTSP and SDP. */
const MARKS = [
  "\r",
  "\n",
  "\r\n",
  "\r\n\r\n",
  " ",
  "\t",
  ":",
  ";",
  "=",
  ",",
  "/",
  "-",
  '"',
  "\0",
  "\u00ff",
  "$",
  "*",
];
const FRAMES = ["$\x00\x00\x04abcd", "$\x01\x00\x00", "$\xff\xff\xff", "$"];
const LONGEST_REPEAT = 2_000;

const mutations: readonly Mutation[] = [
  (text, dice) => replace(text, dice.below(text.length + 1), 1, String.fromCharCode(dice.below(256))),
  (text, dice) => replace(text, dice.below(text.length + 1), dice.below(20), ""),
  (text, dice) => replace(text, dice.below(text.length + 1), dice.below(2), dice.oneOf(MARKS)),
  (text, dice) => replace(text, dice.below(text.length + 1), 0, dice.oneOf(FRAMES)),
  (text, dice) => text.slice(0, dice.below(text.length + 1)),
  (text, dice) => onePart(text, /\d+/g, dice, () => dice.oneOf(NUMBERS)),
  (text, dice) => onePart(text, /[^\r\n]*\r\n/g, dice, (line) => line.repeat(dice.below(4))),
  (text, dice) =>
    onePart(text, /[A-Za-z]+/g, dice, (word) => word.repeat(1 + dice.below(LONGEST_REPEAT / word.length))),
  (text, dice) => onePart(text, /[A-Za-z]+/g, dice, () => ""),
  (text) => text.replaceAll("\r\n", "\n"),
];

/** A message with some changes to it; often none, so that dialogs come far. */
export function mutate(text: string, dice: Dice): string {
  let changed = text;
  for (let left = dice.happens(50) ? 0 : 1 + dice.below(3); left > 0; left--) {
    changed = dice.oneOf(mutations)(changed, dice);
  }
  return changed;
}

function replace(text: string, at: number, count: number, by: string): string {
  return text.slice(0, at) + by + text.slice(at + count);
}

/** Replaces one of the places that match. */
function onePart(text: string, pattern: RegExp, dice: Dice, by: (part: string) => string): string {
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return text;
  const { 0: part, index } = dice.oneOf(found);
  return replace(text, index, part.length, by(part));
}
