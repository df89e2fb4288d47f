// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "@msm/deploy";
import type { Scenario } from "../../runner/suite.ts";
import { startEchoMesh } from "../../traffic/echo-mesh.ts";
import { Heartbeat } from "../../traffic/heartbeat.ts";

/** A configuration that has to be refused. */
interface Refused {
  readonly what: string;
  /** Makes it from one that is right; `folder` takes files that it needs. */
  readonly spoil: (yaml: string, folder: string) => string;
  readonly code: string;
  /** The field that has to be named; empty for a whole file. */
  readonly field: string;
  /** What stands on the line that has to be named. */
  readonly line: string;
  /** What the message has to say, so that one knows what to do. */
  readonly remedy: RegExp;
}

const CASES: readonly Refused[] = [
  {
    what: "broken YAML",
    spoil: (yaml) => `${yaml}---\nkind: [Backend\napiVersion: "v1\n`,
    code: "MSM_YAML_SYNTAX",
    field: "",
    line: 'apiVersion: "v1',
    remedy: /until it is corrected/,
  },
  {
    what: "an unknown kind",
    spoil: (yaml) =>
      `${yaml}---\napiVersion: mediastreamingmesh.io/v1alpha1\nkind: Backside\nmetadata: { name: x }\nspec: {}\n`,
    code: "MSM_RESOURCE_KIND",
    field: "kind",
    line: "kind: Backside",
    remedy: /known are GatewayClass/,
  },
  {
    what: "a value of the wrong type",
    spoil: (yaml) => yaml.replace(/port: \d+\n {6}protocol/, "port: fifty\n      protocol"),
    code: "MSM_FIELD_TYPE",
    field: "spec.listeners[0].port",
    line: "port: fifty",
    remedy: /must be a number/,
  },
  {
    what: "a route to a Backend that does not exist",
    spoil: (yaml) => yaml.replace(/(kind: Backend\n +name:) echo/, "$1 nowhere"),
    code: "MSM_ROUTE_BACKEND_NOT_FOUND",
    field: "spec.rules[0].backendRefs[0]",
    line: "nowhere",
    remedy: /add it or correct the name/,
  },
  {
    what: "a filter whose file is no WebAssembly",
    spoil: (yaml, folder) => {
      writeFileSync(join(folder, "filter.wasm"), "This is not a module.");
      return yaml + wasmFilter();
    },
    code: "MSM_FILTER_NOT_WASM",
    field: "spec.file",
    line: "file: filter.wasm",
    remedy: /name the compiled/,
  },
  {
    what: "a filter with another digest than the one written down",
    spoil: (yaml, folder) => {
      copyFileSync(builtInFilter(), join(folder, "filter.wasm"));
      return yaml + wasmFilter("0".repeat(64));
    },
    code: "MSM_FILTER_DIGEST_MISMATCH",
    field: "spec.sha256",
    line: "sha256: ",
    remedy: /has [0-9a-f]{64}; correct the digest/,
  },
  {
    what: "a filter that does not speak the ABI",
    spoil: (yaml, folder) => {
      // The shortest module there is: magic and version.
      writeFileSync(join(folder, "filter.wasm"), Buffer.from("0061736d01000000", "hex"));
      return yaml + wasmFilter();
    },
    code: "MSM_FILTER_ABI",
    field: "spec.file",
    line: "file: filter.wasm",
    remedy: /build it with the filter SDK/,
  },
];

/** One scenario for each. */
export const refusedConfigurations: readonly Scenario[] = CASES.map((refused) => ({
  title: `${refused.what} is refused with ${refused.code}, field, line and remedy; the last good one runs on`,
  run: async (context) => {
    const { mesh, port, yaml } = await startEchoMesh(context, { endpointCount: 1 });
    const session = await Heartbeat.start("127.0.0.1", port);
    const spoilt = refused.spoil(yaml, mesh.folder);
    assert.notEqual(spoilt, yaml);
    mesh.writeConfig(spoilt);
    const refusal = await until(`${refused.code} was told`, async () =>
      (await mesh.status.configuration()).refusals.find(({ code }) => code === refused.code),
    );
    context.note(`line ${refusal.line}, ${refusal.field || "the file"}: ${refusal.message}`);
    const expectedLine = spoilt.split("\n").findIndex((text) => text.includes(refused.line)) + 1;
    const { field, line } = refusal;
    assert.ok(field.startsWith(refused.field), `field ${field}, expected ${refused.field}`);
    assert.ok(
      Math.abs(line - expectedLine) <= (refused.field === "" ? 1 : 0),
      `line ${line}, expected ${expectedLine}`,
    );
    assert.match(refusal.message, refused.remedy);
    assert.equal(await mesh.status.metric(`msm_config_refused{code="${refused.code}"}`), 1);
    // Old sessions and new ones work as before, and so they do when the mistake is taken back.
    (await Heartbeat.start("127.0.0.1", port)).close();
    mesh.writeConfig(yaml);
    await until(
      "the refusal was gone",
      async () => (await mesh.status.configuration()).refusals.length === 0,
    );
    await session.beats(50);
    assert.equal(await session.finish(), 0, "datagrams lost meanwhile");
  },
}));

function wasmFilter(sha256?: string): string {
  const digest = sha256 === undefined ? "" : `  sha256: "${sha256}"\n`;
  return `---
apiVersion: mediastreamingmesh.io/v1alpha1
kind: WasmFilter
metadata: { name: broken }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: edge }]
  file: filter.wasm
${digest}`;
}

function builtInFilter(): string {
  return fileURLToPath(
    new URL("dist/rtp-stats/rtp-stats.wasm", import.meta.resolve("@msm/filters/package.json")),
  );
}
