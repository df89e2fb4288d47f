// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { parseRegex, RegexError, type RegexNode } from "./parse-regex.ts";

/** One step of a program. Numbers of steps are indexes into it. */
export type RegexStep =
  | { readonly op: "set"; readonly ranges: readonly number[] }
  | { readonly op: "begin" | "end" | "match" }
  | { readonly op: "jump"; readonly to: number }
  /** Goes both ways; the first is preferred. */
  | { readonly op: "split"; readonly first: number; readonly second: number }
  /** Notes where the text is now, as the beginning or the end of a group. */
  | { readonly op: "save"; readonly slot: number };

/** A regular expression that is ready to run. Plain data, so that it can go to a worker. */
export interface RegexProgram {
  readonly pattern: string;
  readonly steps: readonly RegexStep[];
  /** Groups that are captured, the whole match not among them. */
  readonly groups: number;
}

/** A text of n characters takes at most n times so many steps. */
const MAX_STEPS = 1_000;

/** Compiles a pattern in the part of RE2's syntax that `parseRegex` takes. Throws RegexError. */
export function compileRegex(pattern: string): RegexProgram {
  const { root, groups } = parseRegex(pattern);
  const steps: RegexStep[] = [];
  emit(steps, { kind: "group", part: root, index: 0 });
  push(steps, { op: "match" });
  return { pattern, steps, groups };
}

function push(steps: RegexStep[], step: RegexStep): number {
  if (steps.length === MAX_STEPS) {
    throw new RegexError(`it needs more than ${MAX_STEPS} steps; make it simpler`);
  }
  return steps.push(step) - 1;
}

function emit(steps: RegexStep[], node: RegexNode): void {
  switch (node.kind) {
    case "set":
      push(steps, { op: "set", ranges: node.ranges });
      return;
    case "begin":
    case "end":
      push(steps, { op: node.kind });
      return;
    case "sequence":
      for (const part of node.parts) emit(steps, part);
      return;
    case "group":
      push(steps, { op: "save", slot: 2 * node.index });
      emit(steps, node.part);
      push(steps, { op: "save", slot: 2 * node.index + 1 });
      return;
    case "choice":
      emitChoice(steps, node.parts);
      return;
    case "repeat":
      emitRepeat(steps, node);
  }
}

function emitChoice(steps: RegexStep[], [first, ...others]: readonly RegexNode[]): void {
  if (first === undefined) return;
  if (others.length === 0) {
    emit(steps, first);
    return;
  }
  const split = push(steps, { op: "jump", to: 0 });
  emit(steps, first);
  const jump = push(steps, { op: "jump", to: 0 });
  steps[split] = { op: "split", first: split + 1, second: steps.length };
  emitChoice(steps, others);
  steps[jump] = { op: "jump", to: steps.length };
}

function emitRepeat(
  steps: RegexStep[],
  { part, least, most, isLazy }: Extract<RegexNode, { kind: "repeat" }>,
): void {
  for (let i = 0; i < least; i++) emit(steps, part);
  const splits: number[] = [];
  const isEndless = most === Number.POSITIVE_INFINITY;
  for (let i = least; i < (isEndless ? least + 1 : most); i++) {
    splits.push(push(steps, { op: "jump", to: 0 }));
    emit(steps, part);
  }
  if (isEndless) push(steps, { op: "jump", to: splits[0]! });
  for (const split of splits) {
    const [into, past] = [split + 1, steps.length];
    steps[split] = { op: "split", first: isLazy ? past : into, second: isLazy ? into : past };
  }
}
