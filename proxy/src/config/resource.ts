// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { type Any, typeUrls } from "@msm/xds-protos";
import type { ConfigError } from "../config-error.ts";

/** The types of resources that this proxy takes, in the order in which they must be applied. */
export const resourceTypes = [
  "cluster",
  "clusterLoadAssignment",
  "listener",
  "secret",
  "routeConfiguration",
  "typedExtensionConfig",
] as const;
export type ResourceType = (typeof resourceTypes)[number];

/** The type of a type URL, or undefined where this proxy does not take it. */
export function resourceTypeOf(typeUrl: string): ResourceType | undefined {
  return resourceTypes.find((type) => typeUrls[type] === typeUrl);
}

/** A resource as it comes, from the control plane or from the bootstrap file. */
export interface Resource {
  readonly name: string;
  readonly version: string;
  readonly body: Any;
  /** Where it stands, for what may be wrong with it: empty for a resource of the control plane. */
  readonly path: string;
  readonly isStatic: boolean;
}

/** Resources of one type that came, and those that went. */
export interface ResourceUpdate {
  readonly type: ResourceType;
  readonly added: readonly Resource[];
  readonly removed: readonly string[];
}

/** A resource that was refused. Its last good form stays in force. */
export interface Rejection {
  readonly name: string;
  readonly error: ConfigError;
}

/** A resource after it was accepted, with what it came to. */
export interface Accepted<T> {
  readonly name: string;
  readonly version: string;
  readonly isStatic: boolean;
  /** As it came, but without the bytes of modules. */
  readonly body: Any;
  readonly digest: string;
  readonly updatedAt: Date;
  readonly value: T;
}

/** The last attempt to change a resource, where that failed. */
export interface Refused {
  readonly version: string;
  readonly body: Any;
  readonly error: ConfigError;
  readonly attemptedAt: Date;
}

/** SHA-256 of a resource's bytes, to tell whether it changed at all. */
export function digestOf(body: Any): string {
  return createHash("sha256").update(body.typeUrl).update(body.value).digest("base64");
}
