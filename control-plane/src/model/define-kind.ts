// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import type { ResourceId } from "../refusal.ts";
import type { KindSummary } from "./identify.ts";
import { checkAnnotations, type Metadata, metadata } from "./metadata.ts";
import type { Problem, Refuse } from "./problem.ts";
import type { ModuleFile, RawResource } from "./raw-resource.ts";
import { zodProblems } from "./zod-problems.ts";

/** What checking a resource gave: its model, or every reason against it. */
export type Parsed<Model> = { readonly model: Model } | { readonly problems: readonly Problem[] };

/** A kind of resource: how to recognise it, and how to check one. */
export interface Kind<Model> extends KindSummary {
  parse(raw: RawResource): Parsed<Model>;
}

/** What a kind's `build` gets: the shape is checked, the meaning is not. */
export interface BuildInput<Document> {
  readonly id: ResourceId;
  readonly metadata: Metadata;
  readonly document: Document;
  readonly module: ModuleFile | undefined;
  readonly refuse: Refuse;
}

interface KindDefinition<Shape extends z.ZodRawShape, Model> {
  readonly kind: string;
  readonly apiVersions: readonly string[];
  readonly isNamespaced?: boolean;
  /** Annotations of our domain that it honours. */
  readonly annotations?: readonly string[];
  /** The fields beside `apiVersion`, `kind`, `metadata` and `status`. */
  readonly shape: Shape;
  build(input: BuildInput<z.output<z.ZodObject<Shape>>>): Model;
}

/**
 * Makes a kind from the shape of its documents and a function that gives them meaning. Shapes are strict: an
 * unknown field is refused. `status` is accepted, since exported resources carry it, and not used.
 */
export function defineKind<Shape extends z.ZodRawShape, Model>(
  definition: KindDefinition<Shape, Model>,
): Kind<Model> {
  const { kind, apiVersions, isNamespaced = true, annotations = [], build } = definition;
  const body = z.strictObject(definition.shape);
  const envelope = z.object({ metadata });

  function parse(raw: RawResource): Parsed<Model> {
    const { apiVersion: _version, kind: _kind, metadata: _metadata, status: _status, ...fields } = raw.value;
    const head = envelope.safeParse(raw.value);
    const document = body.safeParse(fields);
    if (!head.success || !document.success) {
      return {
        problems: [
          ...(head.success ? [] : zodProblems(head.error, envelope, raw.value)),
          ...(document.success ? [] : zodProblems(document.error, body, fields)),
        ],
      };
    }
    const problems: Problem[] = [];
    const refuse: Refuse = (code, path, message) => problems.push({ code, path, message });
    checkAnnotations(head.data.metadata, annotations, refuse);
    const { id, module } = raw;
    const model = build({ id, metadata: head.data.metadata, document: document.data, module, refuse });
    return problems.length > 0 ? { problems } : { model };
  }
  return { kind, apiVersions, isNamespaced, parse };
}
