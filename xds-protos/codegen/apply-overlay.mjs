// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** @typedef {import("./overlay.mjs").Insertion} Insertion */

/**
 * Applies the insertions to the copied protos in `protoDir`. Throws `MSM_PROTOS_OVERLAY_ANCHOR`, with the file and
 * the anchor, when an anchor does not occur exactly once: upstream has moved on, and a person must look.
 * @param {string} protoDir
 * @param {readonly Insertion[]} overlay
 */
export function applyOverlay(protoDir, overlay) {
  for (const { file, anchor, insert } of overlay) {
    const path = join(protoDir, file);
    const pieces = readFileSync(path, "utf8").split(anchor);
    if (pieces.length !== 2) {
      throw new Error(
        `MSM_PROTOS_OVERLAY_ANCHOR: ${file}: the anchor ${JSON.stringify(anchor)} occurs ${pieces.length - 1} times, ` +
          "not once. Compare codegen/overlay.mjs with the proto package that is installed.",
      );
    }
    writeFileSync(path, pieces.join(anchor + insert));
  }
}
