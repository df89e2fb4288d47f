// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { defineKind } from "./define-kind.ts";
import { dnsName, gatewayGroup, meshApiVersion } from "./metadata.ts";
import type { Refuse } from "./problem.ts";
import type { LoadedModule, ModuleFile } from "./raw-resource.ts";

/** What a filter is attached to, in its own namespace. */
export interface FilterTarget {
  readonly kind: "Gateway" | "UDPRoute";
  readonly name: string;
  /** A listener of the Gateway; all of them without it. */
  readonly sectionName: string | undefined;
}

/** A filter's code: one that the proxies bring along, or a module. */
export type FilterCode = { readonly builtin: string } | { readonly module: LoadedModule };

/** What happens to datagrams while a filter is broken: they are dropped, or pass by it. */
export type FailurePolicy = "FailClosed" | "FailOpen";

/** The built-in filter that speaks RTSP; every RTSP listener has it. */
export const rtspFilterName = "rtsp";

const sectionPath = ["spec", "targetRefs"] as const;

const targetRef = z.strictObject({
  group: z.literal(gatewayGroup).default(gatewayGroup),
  kind: z.enum(["Gateway", "UDPRoute"]),
  name: dnsName,
  sectionName: dnsName.optional(),
});

/** A filter in the chain of some listeners; a higher `priority` comes first. */
export const wasmFilter = defineKind({
  kind: "WasmFilter",
  apiVersions: [meshApiVersion],
  shape: {
    spec: z.strictObject({
      targetRefs: z.array(targetRef).min(1).max(16),
      builtin: z
        .string()
        .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, { error: "must be the name of a built-in filter" })
        .optional(),
      file: z.string().min(1).max(4096).optional(),
      sha256: z
        .string()
        .regex(/^[0-9a-fA-F]{64}$/, { error: "must be 64 hexadecimal digits" })
        .optional(),
      config: z.record(z.string(), z.json()).default({}),
      failurePolicy: z.enum(["FailClosed", "FailOpen"]).default("FailClosed"),
      priority: z.int().min(-1000).max(1000).default(0),
    }),
  },
  build({ id, document, module, refuse }) {
    const { targetRefs, builtin, file, sha256, config, failurePolicy, priority } = document.spec;
    if (builtin === rtspFilterName && failurePolicy === "FailOpen") {
      const message = "nothing passes by a filter that speaks the protocol; write FailClosed";
      refuse("MSM_FIELD_UNSUPPORTED", ["spec", "failurePolicy"], message);
    }
    for (const [index, ref] of targetRefs.entries()) {
      if (ref.kind !== "UDPRoute" || ref.sectionName === undefined) continue;
      const path = [...sectionPath, index, "sectionName"];
      refuse("MSM_FIELD_UNSUPPORTED", path, "a UDPRoute is targeted as a whole; remove it");
    }
    const targets: readonly FilterTarget[] = targetRefs.map(({ kind, name, sectionName }) => ({
      kind,
      name,
      sectionName,
    }));
    const code = readCode({ builtin, file, sha256, module }, refuse);
    return { id, targets, code, config, failurePolicy: failurePolicy as FailurePolicy, priority };
  },
});

interface WrittenCode {
  readonly builtin: string | undefined;
  readonly file: string | undefined;
  readonly sha256: string | undefined;
  readonly module: ModuleFile | undefined;
}

// The stand-in is never seen: a refused resource yields no model.
const refused: FilterCode = { builtin: "" };

function readCode({ builtin, file, sha256, module }: WrittenCode, refuse: Refuse): FilterCode {
  if ((builtin === undefined) === (file === undefined)) {
    const what =
      builtin === undefined ? "needs one of builtin and file" : "has both builtin and file; keep one";
    refuse("MSM_FILTER_SOURCE", ["spec", ...(builtin === undefined ? [] : ["file"])], what);
    return refused;
  }
  if (builtin !== undefined) {
    if (sha256 !== undefined) {
      const message = "a built-in filter's digest is pinned by the proxy; remove it";
      refuse("MSM_FIELD_UNSUPPORTED", ["spec", "sha256"], message);
    }
    return { builtin };
  }
  if (module === undefined) {
    refuse("MSM_FILTER_UNREADABLE", ["spec", "file"], "this source cannot read files; use builtin");
    return refused;
  }
  return checkModule(module, sha256, refuse);
}

const requiredExports = ["proxy_abi_version_0_2_1", "msm_abi_version_0_1_0"];

function checkModule(module: ModuleFile, sha256: string | undefined, refuse: Refuse): FilterCode {
  if ("code" in module) {
    refuse(module.code, ["spec", "file"], module.problem);
    return refused;
  }
  if (sha256 !== undefined && sha256.toLowerCase() !== module.sha256) {
    const message = `${module.path} has ${module.sha256}; correct the digest or restore the file`;
    refuse("MSM_FILTER_DIGEST_MISMATCH", ["spec", "sha256"], message);
  }
  if (module.isScript) return { module };
  const missing = requiredExports.filter((name) => !module.exports.includes(name));
  if (missing.length > 0) {
    const message = `${module.path} does not export ${missing.join(" and ")}; build it with the filter SDK`;
    refuse("MSM_FILTER_ABI", ["spec", "file"], message);
  }
  return { module };
}
