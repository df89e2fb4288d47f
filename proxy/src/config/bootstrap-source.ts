// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { ConfigError } from "../config-error.ts";
import { BootstrapError, type Position } from "./bootstrap-error.ts";
import type { ConfigCode } from "./codes.ts";

/** A bootstrap as JSON, with the place in its file of each field. */
export interface BootstrapSource {
  /** Name of the file, or a word for an object. */
  readonly name: string;
  readonly json: unknown;
  /** Where a field stands, by a path such as `node.locality.zone`; where it is missing, where its parent does. */
  locate(path: string): Position | undefined;
}

/** Reads a bootstrap file by its path, or takes an object of the program that embeds the proxy. */
export function bootstrapSource(bootstrap: string | object): BootstrapSource {
  if (typeof bootstrap === "string") return readBootstrapFile(bootstrap);
  return { name: "bootstrap", json: bootstrap, locate: () => undefined };
}

/** Throws a `BootstrapError`. */
function readBootstrapFile(path: string): BootstrapSource {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw failure(path, "MSM_BOOTSTRAP_UNREADABLE", `cannot be read: ${reason}`);
  }
  return parseBootstrapText(text, path);
}

/** Takes the text of a bootstrap file apart. Throws a `BootstrapError` where it is not YAML. */
export function parseBootstrapText(text: string, name: string): BootstrapSource {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const positionOf = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { line, column: col };
  };
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ message, pos }) => ({
      error: new ConfigError("MSM_BOOTSTRAP_YAML", "file", message),
      position: positionOf(pos[0]),
    }));
    throw new BootstrapError(name, problems);
  }
  try {
    // The library bounds how often aliases may be expanded, and throws.
    return { name, json: document.toJS(), locate: (path) => locate(document.contents, path, positionOf) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw failure(name, "MSM_BOOTSTRAP_YAML", reason);
  }
}

function failure(name: string, code: ConfigCode, problem: string): BootstrapError {
  return new BootstrapError(name, [{ error: new ConfigError(code, "file", problem), position: undefined }]);
}

function locate(
  root: Node | null,
  path: string,
  positionOf: (offset: number) => Position,
): Position | undefined {
  let node: unknown = root;
  let offset = root?.range?.[0];
  for (const step of path.match(/[^.[\]]+/g) ?? []) {
    const next = isSeq(node)
      ? node.items[Number(step)]
      : isMap(node)
        ? findPair(node.items, step)
        : undefined;
    if (next === undefined) break;
    const found = next as { readonly key?: Node; readonly value?: unknown; readonly range?: Node["range"] };
    offset = (found.key ?? found).range?.[0] ?? offset;
    node = found.key === undefined ? found : found.value;
  }
  return offset === undefined ? undefined : positionOf(offset);
}

/** Keys may be written as in the proto file or in camel case. */
function findPair<Pair extends { readonly key: unknown }>(
  items: readonly Pair[],
  step: string,
): Pair | undefined {
  const camel = step.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return items.find(({ key }) => isScalar(key) && (key.value === step || key.value === camel));
}
