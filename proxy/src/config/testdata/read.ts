// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { ConfigError } from "../../config-error.ts";
import { BuiltinFilters } from "../builtin-filters.ts";
import { FilterLoader } from "../filter-loader.ts";
import { type ResourceValues, readResource } from "../read-resource.ts";
import type { ResourceType } from "../resource.ts";
import { builtinFolder, fakeFilterHost } from "./filters.ts";
import { resource } from "./resources.ts";

/** Loads filters with the fake host; `pass` is the only built-in one. */
export const testLoader = new FilterLoader(fakeFilterHost, new BuiltinFilters(builtinFolder()));

/** Reads a resource given as JSON. */
export function read<Type extends ResourceType>(
  type: Type,
  name: string,
  json: JsonObject,
): Promise<ResourceValues[Type]> {
  return readResource(type, resource(name, json), testLoader);
}

/** `code field` with which a resource is refused, or `accepted`. */
export async function refusal(type: ResourceType, name: string, json: JsonObject): Promise<string> {
  try {
    await read(type, name, json);
  } catch (error) {
    if (error instanceof ConfigError) return `${error.code} ${error.field}`;
    throw error;
  }
  return "accepted";
}
