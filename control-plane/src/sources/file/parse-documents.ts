// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type Document, isCollection, isMap, isNode, isScalar, LineCounter, parseAllDocuments } from "yaml";
import type { FieldPath, Position } from "../../refusal.ts";
import type { RefusalCode } from "../../refusal-codes.ts";

/** One YAML document as plain values, and where each stands. */
export interface ParsedDocument {
  readonly value: unknown;
  locate(path: FieldPath): Position;
}

/** Why a text as a whole was not read. */
export interface UnreadableText {
  readonly code: RefusalCode;
  readonly position: Position;
  readonly message: string;
}

// The deepest field of any kind is ten levels down; the rest is for a filter's own configuration.
const MAX_DEPTH = 64;

/**
 * Reads YAML 1.2 with one or more documents; empty ones are left out. Never throws: text that is not YAML, or
 * whose aliases expand to more than `maxAliasCount` nodes, gives the reason instead.
 */
export function parseDocuments(text: string, maxAliasCount: number): ParsedDocument[] | UnreadableText {
  const lines = new LineCounter();
  let documents: Document.Parsed[];
  try {
    documents = [...parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: "silent" })];
  } catch (error) {
    // Nesting thousands of levels deep exhausts the parser's stack.
    return { code: "MSM_YAML_SYNTAX", position: { line: 1, column: 1 }, message: firstLine(error) };
  }
  const parsed: ParsedDocument[] = [];
  for (const document of documents) {
    const [fault] = [...document.errors, ...document.warnings];
    if (fault !== undefined) {
      const position = positionOf(lines, fault.pos[0]);
      // Where a token is unexpected the parser quotes it, and it may be a part of a key.
      const message = fault.code === "UNEXPECTED_TOKEN" ? fault.message.split(": ")[0]! : firstLine(fault);
      return { code: "MSM_YAML_SYNTAX", position, message };
    }
    try {
      const value: unknown = document.toJS({ maxAliasCount });
      if (isDeeperThan(value, MAX_DEPTH)) {
        const message = `values are nested deeper than ${MAX_DEPTH} levels`;
        return { code: "MSM_YAML_SYNTAX", position: positionOf(lines, document.range[0]), message };
      }
      if (value !== null) parsed.push({ value, locate: (path) => locate(document, lines, path) });
    } catch (error) {
      const position = positionOf(lines, document.range[0]);
      return { code: "MSM_YAML_ALIASES", position, message: firstLine(error) };
    }
  }
  return parsed;
}

// Goes down as far as the path exists: a missing field is reported at the object that should have it.
function locate(document: Document.Parsed, lines: LineCounter, path: FieldPath): Position {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? document.range[0]) : document.range[0];
  for (const part of path) {
    if (!isCollection(node)) break;
    const pair = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && String(key.value) === part)
      : undefined;
    node = node.get(part, true);
    const marker = pair !== undefined && isNode(pair.key) ? pair.key : node;
    if (!isNode(marker)) break;
    offset = marker.range?.[0] ?? offset;
  }
  return positionOf(lines, offset);
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((child) => isDeeperThan(child, levels - 1));
}

function positionOf(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (message.split("\n", 1)[0] ?? "").slice(0, 200);
}
