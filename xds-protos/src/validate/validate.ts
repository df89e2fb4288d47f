// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { messageCheck } from "./message-check.ts";
import type { Violation } from "./violation.ts";

/**
 * Checks a message against the `validate.rules` (protoc-gen-validate) of its proto and returns every rule that it
 * breaks; an empty list means that it is valid. Does not look inside `Any`: unpack, then validate. Envoy relaxes its
 * rules over time, so a server should refuse by them only what it made itself.
 */
export function validate<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): readonly Violation[] {
  const violations: Violation[] = [];
  messageCheck(schema)(message, violations, 0);
  return violations.map((violation) => ({ ...violation, path: violation.path.replace(/^\./, "") }));
}
