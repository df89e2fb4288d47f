// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { didYouMean } from "../nearest-word.ts";
import type { ResourceId } from "../refusal.ts";
import { dnsName } from "./metadata.ts";
import type { Problem } from "./problem.ts";

/** What can be known of a kind without checking a resource of it. */
export interface KindSummary {
  readonly kind: string;
  readonly apiVersions: readonly string[];
  readonly isNamespaced: boolean;
}

/** A resource that could be identified. */
export interface Identified {
  readonly id: ResourceId;
  readonly apiVersion: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Finds out which resource a value is, as far as that can be known without checking the rest of it. */
export function identify(value: unknown, kinds: readonly KindSummary[]): Identified | Problem {
  if (!isRecord(value)) {
    return {
      code: "MSM_RESOURCE_SHAPE",
      path: [],
      message: "must be an object with apiVersion, kind, metadata",
    };
  }
  const kind = kinds.find((candidate) => candidate.kind === value.kind);
  if (kind === undefined) return unknownKind(value.kind, kinds);
  const apiVersion = value.apiVersion;
  if (typeof apiVersion !== "string" || !kind.apiVersions.includes(apiVersion)) {
    const message = `${kind.kind} is served as ${kind.apiVersions.join(" or ")}, not ${shown(apiVersion)}`;
    return { code: "MSM_RESOURCE_KIND", path: ["apiVersion"], message };
  }
  const metadata = isRecord(value.metadata) ? value.metadata : {};
  const name = dnsName.safeParse(metadata.name);
  if (!name.success) {
    const message = `must be a DNS name such as "video", not ${shown(metadata.name)}`;
    return { code: "MSM_RESOURCE_NAME", path: ["metadata", "name"], message };
  }
  const namespace = dnsName.safeParse(metadata.namespace ?? "default");
  if (!namespace.success) {
    const message = `must be a DNS name, not ${shown(metadata.namespace)}`;
    return { code: "MSM_RESOURCE_NAME", path: ["metadata", "namespace"], message };
  }
  const id = { kind: kind.kind, namespace: kind.isNamespaced ? namespace.data : "", name: name.data };
  return { id, apiVersion, value };
}

function unknownKind(kind: unknown, kinds: readonly KindSummary[]): Problem {
  const names = kinds.map((candidate) => candidate.kind);
  const hint = typeof kind === "string" ? didYouMean(kind, names) : "";
  const message = `${shown(kind)} is not a kind of the mesh; known are ${names.join(", ")}.${hint}`;
  return { code: "MSM_RESOURCE_KIND", path: ["kind"], message };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// User text in a message: bounded, and visibly delimited.
function shown(value: unknown): string {
  if (value === undefined) return "missing";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : `a ${typeof value}`;
}
