// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { RefusalCode } from "./refusal-codes.ts";

/** A place in a text file; both numbers count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where a value stands inside a resource: `["spec", "listeners", 0, "port"]`. */
export type FieldPath = readonly (string | number)[];

/** Which resource is meant. Cluster-scoped kinds have an empty namespace. */
export interface ResourceId {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Why a file, a resource or a part of one is not in force, and what to do about it. */
export interface Refusal extends Position {
  readonly code: RefusalCode;
  /** Absent where the text could not be read so far as to know its resource. */
  readonly resource?: ResourceId;
  /** The offending field as one writes it, `spec.listeners[0].port`; empty for a whole file or resource. */
  readonly field: string;
  readonly file: string;
  readonly message: string;
}

/** The one key of a resource in every map: `UDPRoute/default/video`, or `GatewayClass/msm`. */
export function keyOf(id: ResourceId): string {
  return id.namespace === "" ? `${id.kind}/${id.name}` : `${id.kind}/${id.namespace}/${id.name}`;
}

/** Writes a path as a user would: `spec.rules[0].backendRefs[1].port`. */
export function fieldText(path: FieldPath): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (/^[A-Za-z_]\w*$/.test(part)) text += text === "" ? part : `.${part}`;
    else text += `["${part}"]`;
  }
  return text;
}

/** One refusal as one line: `mesh.yaml:12:7 MSM_FIELD_TYPE spec.listeners[0].port: must be a number`. */
export function refusalLine(refusal: Refusal): string {
  const place = `${refusal.file}:${refusal.line}:${refusal.column}`;
  const field = [refusal.resource ? keyOf(refusal.resource) : "", refusal.field].filter(
    (part) => part !== "",
  );
  return `${place} ${refusal.code} ${field.length > 0 ? `${field.join(" ")}: ` : ""}${refusal.message}`;
}
