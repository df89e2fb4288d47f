// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * One insertion: `insert` is put right after `anchor`, which must occur exactly once in the copied `file`.
 * @typedef {{ readonly file: string, readonly anchor: string, readonly insert: string }} Insertion
 */

const VALIDATE = "validate/validate.proto";
const UDP_PROXY = "envoy/extensions/filters/udp/udp_proxy/v3/udp_proxy.proto";
const WASM = "envoy/extensions/wasm/v3/wasm.proto";
const DISCOVERY = "envoy/service/discovery/v3/discovery.proto";

const NUMERIC_TYPES = [
  "float",
  "double",
  "int32",
  "int64",
  "uint32",
  "uint64",
  "sint32",
  "sint64",
  "fixed32",
  "fixed64",
  "sfixed32",
  "sfixed64",
];

/**
 * What upstream has and the carrier package lacks. Field numbers are upstream's: they are wire facts.
 * @type {readonly Insertion[]}
 */
export const overlay = [
  // protoc-gen-validate since early 2021 (its pull request 412). The carrier's copy is of June 2020, older than the
  // Envoy API beside it, which uses these fields and does not compile without them.
  ...NUMERIC_TYPES.map((type) => ({
    file: VALIDATE,
    anchor: `repeated ${type} not_in = 7;`,
    insert: "\n    optional bool ignore_empty = 8;",
  })),
  {
    file: VALIDATE,
    anchor: "optional bool strict = 25 [default = true];",
    insert: "\n  optional bool ignore_empty = 26;",
  },
  { file: VALIDATE, anchor: "repeated bytes not_in = 9;", insert: "\n    optional bool ignore_empty = 14;" },
  {
    file: VALIDATE,
    anchor: "optional FieldRules items = 4;",
    insert: "\n    optional bool ignore_empty = 5;",
  },
  {
    file: VALIDATE,
    anchor: "optional FieldRules values = 5;",
    insert: "\n    optional bool ignore_empty = 6;",
  },
  { file: VALIDATE, anchor: "optional bool disabled = 1071;", insert: "\n    optional bool ignored = 1072;" },

  // Session filters by ECDS: Envoy since September 2024 (envoyproxy/envoy pull request 35852).
  {
    file: UDP_PROXY,
    anchor: 'import "envoy/config/core/v3/base.proto";',
    insert: '\nimport "envoy/config/core/v3/config_source.proto";',
  },
  {
    file: UDP_PROXY,
    anchor: "      google.protobuf.Any typed_config = 2;",
    insert: "\n\n      config.core.v3.ExtensionConfigSource config_discovery = 3;",
  },

  // What happens to a WASM plugin that failed: Envoy since 1.33.0 (January 2025).
  {
    file: WASM,
    anchor: 'import "envoy/config/core/v3/base.proto";',
    insert: '\nimport "envoy/config/core/v3/backoff.proto";',
  },
  {
    file: WASM,
    anchor: "CapabilityRestrictionConfig capability_restriction_config = 6;",
    insert: "\n\n  FailurePolicy failure_policy = 7;\n\n  ReloadConfig reload_config = 8;",
  },
  {
    file: WASM,
    anchor: "message SanitizationConfig {\n}",
    insert: `

enum FailurePolicy {
  UNSPECIFIED = 0;
  FAIL_RELOAD = 1;
  FAIL_CLOSED = 2;
  FAIL_OPEN = 3;
}

message ReloadConfig {
  config.core.v3.BackoffStrategy backoff = 1;
}`,
  },

  // Errors per resource, xRFC TP3: Envoy since January 2025 (envoyproxy/envoy pull request 37818).
  {
    file: DISCOVERY,
    anchor: "  DynamicParameterConstraints dynamic_parameter_constraints = 2;\n}",
    insert: `

message ResourceError {
  ResourceName resource_name = 1;
  google.rpc.Status error_detail = 2;
}`,
  },
  {
    file: DISCOVERY,
    anchor: "config.core.v3.ControlPlane control_plane = 6;",
    insert: "\n\n  repeated ResourceError resource_errors = 7;",
  },
  {
    file: DISCOVERY,
    anchor: "config.core.v3.ControlPlane control_plane = 7;",
    insert: "\n\n  repeated ResourceError resource_errors = 9;",
  },
];
