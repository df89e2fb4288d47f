// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { protosBelow } from "./proto-closure.mjs";

const CODEGEN_DIR = fileURLToPath(new URL(".", import.meta.url));

/**
 * A hash over all that decides the output: the tools' package.json files, the generator itself, our own protos and
 * the overlay. Equal stamps mean equal output.
 * @param {readonly string[]} packageFiles
 * @param {string} protoDir
 * @param {readonly import("./overlay.mjs").Insertion[]} overlay
 */
export function inputStamp(packageFiles, protoDir, overlay) {
  const hash = createHash("sha256");
  /** @param {string} text */
  const add = (text) => hash.update(`${text.length}:`).update(text);
  for (const file of packageFiles) add(readFileSync(file, "utf8"));
  for (const name of readdirSync(CODEGEN_DIR).sort()) {
    if (name.endsWith(".mjs")) add(readFileSync(`${CODEGEN_DIR}/${name}`, "utf8"));
  }
  for (const path of protosBelow(protoDir, "")) {
    add(path);
    add(readFileSync(`${protoDir}/${path}`, "utf8"));
  }
  add(JSON.stringify(overlay));
  return hash.digest("hex");
}
