// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
export type {
  DescEnum,
  DescField,
  DescFile,
  DescMessage,
  DescMethod,
  DescService,
  JsonObject,
  JsonValue,
  Message,
  MessageInitShape,
  MessageShape,
  Registry,
} from "@bufbuild/protobuf";
export {
  clone,
  create,
  equals,
  fromBinary,
  fromJson,
  fromJsonString,
  isMessage,
  toBinary,
  toJson,
  toJsonString,
} from "@bufbuild/protobuf";
export type { Any, Duration, Timestamp } from "@bufbuild/protobuf/wkt";
export {
  AnySchema,
  BytesValueSchema,
  DurationSchema,
  durationFromMs,
  durationMs,
  EmptySchema,
  StringValueSchema,
  StructSchema,
  TimestampSchema,
  timestampDate,
  timestampFromDate,
  timestampFromMs,
  timestampNow,
  ValueSchema,
} from "@bufbuild/protobuf/wkt";
export { registry } from "../gen/descriptors.js";
export { addService } from "./add-service.ts";
export { packAny, unpackAny } from "./any.ts";
export { createClient, type ServiceClient } from "./create-client.ts";
export { type Serialized, type ServiceHandlers, serviceDefinition } from "./service-definition.ts";
export { typeUrlOf, typeUrls } from "./type-urls.ts";
export { validate } from "./validate/validate.ts";
export type { Violation } from "./validate/violation.ts";
