// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  type MessageShape,
} from "@msm/xds-protos/messages";
import { parseAddress } from "./parse-address.ts";
import type { RouteRequest } from "./signalling-world.ts";

/** A request of a filter that is not what it should be. */
export class GuestJsonError extends Error {}

/** Parses JSON that must be an object. Throws GuestJsonError. */
export function readJsonObject(text: string): JsonObject {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new GuestJsonError(error instanceof Error ? error.message : String(error));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new GuestJsonError("not a JSON object");
  }
  return value;
}

/** Reads the proto3 JSON of a message. Throws GuestJsonError. */
export function readJsonMessage<Desc extends DescMessage>(
  schema: Desc,
  json: JsonObject,
): MessageShape<Desc> {
  try {
    return fromJson(schema, json);
  } catch (error) {
    throw new GuestJsonError(error instanceof Error ? error.message : String(error));
  }
}

/** Reads `{"host", "path", "method", "headers", "source"}`. Throws GuestJsonError. */
export function readRouteRequest(text: string): RouteRequest {
  const { host, path, method, headers = {}, source, ...others } = readJsonObject(text);
  refuseOthers(others);
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) {
    throw new GuestJsonError("headers is not an object");
  }
  const entries = Object.entries(headers).map(([name, value]) => [name, textOf(value, `headers.${name}`)]);
  return {
    host: textOf(host, "host"),
    path: textOf(path, "path"),
    method: textOf(method, "method"),
    // No prototype: a header may be called `__proto__`.
    headers: Object.assign(Object.create(null) as object, Object.fromEntries(entries)) as Record<
      string,
      string
    >,
    source: source === undefined ? "" : textOf(source, "source"),
  };
}

/** What a filter asks `msm_stream_connect` for. */
export type ConnectRequest =
  | { readonly kind: "route"; readonly handle: number }
  | { readonly kind: "cluster"; readonly cluster: string }
  | { readonly kind: "address"; readonly address: { readonly address: string; readonly port: number } };

/** Reads `{"route": handle}`, `{"cluster": name}` or `{"address": "ip:port"}`. Throws GuestJsonError. */
export function readConnectRequest(text: string): ConnectRequest {
  const { route, cluster, address, ...others } = readJsonObject(text);
  refuseOthers(others);
  if ([route, cluster, address].filter((given) => given !== undefined).length !== 1) {
    throw new GuestJsonError("one of route, cluster and address is needed");
  }
  if (typeof route === "number") return { kind: "route", handle: route };
  if (typeof cluster === "string") return { kind: "cluster", cluster };
  const parsed = typeof address === "string" ? parseAddress(address) : undefined;
  if (parsed === undefined) throw new GuestJsonError("route is a number, cluster a name, address ip:port");
  return { kind: "address", address: parsed };
}

function textOf(value: JsonValue | undefined, field: string): string {
  if (typeof value !== "string") throw new GuestJsonError(`${field} is not a text`);
  return value;
}

function refuseOthers(others: JsonObject): void {
  const [field] = Object.keys(others);
  if (field !== undefined) throw new GuestJsonError(`${field} is not known`);
}
