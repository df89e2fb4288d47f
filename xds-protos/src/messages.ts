// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// `@msm/xds-protos/messages`: what messages alone need, without gRPC, for threads that only read and write some.
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
