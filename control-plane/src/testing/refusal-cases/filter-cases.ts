// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { classYaml, filterYaml, gatewayYaml, yamlFile } from "../mesh-yaml.ts";
import type { RefusalCase } from "./refusal-case.ts";

const module = { path: "/f.wasm", bytes: new Uint8Array(8), sha256: "ab".repeat(32), exports: ["memory"] };

/** WasmFilters. */
export const filterCases: readonly RefusalCase[] = [
  [
    "MSM_FILTER_PROTOCOL",
    "the RTSP filter at a listener for datagrams",
    yamlFile(filterYaml({ more: "builtin: rtsp" }), classYaml, gatewayYaml()),
    "spec.targetRefs[0]",
    7,
  ],
  [
    "MSM_FIELD_UNSUPPORTED",
    "an RTSP filter that would be passed by",
    filterYaml({ more: "builtin: rtsp\n  failurePolicy: FailOpen" }),
    "spec.failurePolicy",
    10,
  ],
  ["MSM_FILTER_SOURCE", "a filter without code", filterYaml({ more: "priority: 1" }), "spec", 5],
  [
    "MSM_FILTER_SOURCE",
    "a filter with two codes",
    filterYaml({ more: "builtin: a\n  file: b" }),
    "spec.file",
    10,
  ],
  [
    "MSM_FILTER_TARGET_NOT_FOUND",
    "a filter on an unknown Gateway",
    filterYaml(),
    "spec.targetRefs[0].name",
    8,
  ],
  ["MSM_FILTER_UNREADABLE", "a module that is absent", filterYaml({ more: "file: a.wasm" }), "spec.file", 9],
  [
    "MSM_FILTER_DIGEST_MISMATCH",
    "a module with another digest",
    filterYaml({ more: `file: a.wasm\n  sha256: ${"cd".repeat(32)}` }),
    "spec.sha256",
    10,
    module,
  ],
  [
    "MSM_FILTER_ABI",
    "a module without our exports",
    filterYaml({ more: "file: a.wasm" }),
    "spec.file",
    9,
    module,
  ],
];
