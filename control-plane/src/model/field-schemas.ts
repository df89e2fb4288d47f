// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isIP } from "node:net";
import { z } from "zod";
import type { RefusalCode } from "../refusal-codes.ts";

/** A UDP or TCP port that can be written in configuration. */
export const port = z.int().min(1).max(65_535);

/** Reads the code that a schema attached to its refusal. */
export function coded(code: RefusalCode, error: string): { error: string; params: { code: RefusalCode } } {
  return { error, params: { code } };
}

/** A field of the API that would not be honoured; `instead` says what a user can do. */
export function unsupported(instead: string) {
  return z
    .custom<undefined>((value) => value === undefined, coded("MSM_FIELD_UNSUPPORTED", instead))
    .optional();
}

/** A field that is accepted because it changes nothing here. */
export const ignored = z.unknown().optional();

/** Says whether text is an IP address without a zone; zones name interfaces of one machine only. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes("%");
}
