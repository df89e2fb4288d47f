// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Makes a folder and hands its removal to `atEnd`, such as vitest's `onTestFinished`. */
export function temporaryFolder(atEnd: (remove: () => void) => void): string {
  const folder = mkdtempSync(join(tmpdir(), "msm-control-plane-"));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
