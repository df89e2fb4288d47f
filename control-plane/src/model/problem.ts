// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { FieldPath } from "../refusal.ts";
import type { RefusalCode } from "../refusal-codes.ts";

/** A refusal before its place in the file is looked up. */
export interface Problem {
  readonly code: RefusalCode;
  readonly path: FieldPath;
  readonly message: string;
}

/** Notes one problem; checking goes on so that a user sees all of them at once. */
export type Refuse = (code: RefusalCode, path: FieldPath, message: string) => void;
