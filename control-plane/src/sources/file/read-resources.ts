// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { dirname, resolve } from "node:path";
import { identify } from "../../model/identify.ts";
import { kinds } from "../../model/index.ts";
import type { RawResource } from "../../model/raw-resource.ts";
import { fieldText, keyOf, type Position, type Refusal } from "../../refusal.ts";
import type { RefusalCode } from "../../refusal-codes.ts";
import { type ParsedDocument, parseDocuments } from "./parse-documents.ts";
import type { YamlFile } from "./yaml-files.ts";

/** What the newest reading of one file gave, with what an earlier one gave in place of what was lost. */
export interface FileState {
  readonly path: string;
  readonly resources: readonly RawResource[];
  readonly refusals: readonly Refusal[];
  /** False when something could not be read and no earlier reading stands in. */
  readonly isComplete: boolean;
  /** The text that gave this state; undefined for an unreadable file. */
  readonly text: string | undefined;
}

const START: Position = { line: 1, column: 1 };

/**
 * Turns a file's text into resources. A file that cannot be read or parsed keeps the resources of `before`; so do
 * those that are gone while some document's kind or name cannot be read, for it may be one of them, misspelt.
 */
export function readResources(
  file: YamlFile,
  maxAliasCount: number,
  before: FileState | undefined,
): FileState {
  const { path } = file;
  if ("code" in file)
    return keep(path, undefined, before, refusalAt(path, START, file.code, `${path} ${file.problem}`));
  const { text } = file;
  if (text.trim() === "" && before !== undefined && before.resources.length > 0) {
    const message = "the file is empty; its resources stay until it is deleted or has at least a comment";
    return keep(path, text, before, refusalAt(path, START, "MSM_FILE_EMPTY", message));
  }
  const documents = parseDocuments(text, maxAliasCount);
  if (!Array.isArray(documents)) {
    const message = `${documents.message}; nothing of this file takes effect until it is corrected`;
    return keep(path, text, before, refusalAt(path, documents.position, documents.code, message));
  }
  return merge(path, text, documents, before);
}

function merge(
  path: string,
  text: string,
  documents: readonly ParsedDocument[],
  before: FileState | undefined,
): FileState {
  const resources: RawResource[] = [];
  const refusals: Refusal[] = [];
  for (const { value, locate } of documents.flatMap(listItems)) {
    const found = identify(value, Object.values(kinds));
    if ("code" in found) {
      refusals.push({
        ...refusalAt(path, locate(found.path), found.code, found.message),
        field: fieldText(found.path),
      });
    } else {
      resources.push({ ...found, file: path, locate });
    }
  }
  if (refusals.length === 0) return { path, text, resources, refusals, isComplete: true };
  const present = new Set(resources.map(({ id }) => keyOf(id)));
  const kept = before?.resources.filter(({ id }) => !present.has(keyOf(id))) ?? [];
  return {
    path,
    text,
    resources: [...resources, ...kept],
    refusals,
    isComplete: before?.isComplete ?? false,
  };
}

// `kubectl get -o yaml` writes a List whose items are the resources.
function listItems(document: ParsedDocument): ParsedDocument[] {
  const value = document.value as { readonly kind?: unknown; readonly items?: unknown } | null;
  if (value?.kind !== "List" || !Array.isArray(value.items)) return [document];
  return value.items.map((item: unknown, index) => ({
    value: item,
    locate: (path) => document.locate(["items", index, ...path]),
  }));
}

function keep(
  path: string,
  text: string | undefined,
  before: FileState | undefined,
  refusal: Refusal,
): FileState {
  const resources = before?.resources ?? [];
  return { path, text, resources, refusals: [refusal], isComplete: before?.isComplete ?? false };
}

function refusalAt(file: string, position: Position, code: RefusalCode, message: string): Refusal {
  return { code, field: "", file, ...position, message };
}

/** The file that a WasmFilter names, relative to the file that it stands in; undefined for anything else. */
export function modulePathOf(raw: RawResource): string | undefined {
  if (raw.id.kind !== "WasmFilter") return undefined;
  const { spec } = raw.value as { readonly spec?: { readonly file?: unknown } | null };
  const file = spec?.file;
  // A zero byte is no path to the file system, and the model refuses such a name.
  if (typeof file !== "string" || file === "" || file.includes("\0")) return undefined;
  return resolve(dirname(raw.file), file);
}
