// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { ResourceStore } from "../mesh/resource-store.ts";
import { yamlFile } from "../testing/mesh-yaml.ts";
import { readText } from "../testing/read-text.ts";
import { authoritiesYaml, authority, secretYaml, tlsMesh } from "../testing/tls-mesh.ts";
import { resourceReport } from "./resource-report.ts";

const HOUR_MS = 3_600_000;
const certified = authority.issue("DNS:cams.example.com");

function conditionsOf(kind: string, nowMs: number) {
  const text = yamlFile(tlsMesh(), secretYaml({ certified }), authoritiesYaml());
  const report = resourceReport(new ResourceStore().apply(readText(text)), [], nowMs);
  const found = report.find((resource) => resource.kind === kind);
  return found?.conditions.filter(({ type }) => type === "CertificateValid");
}

// Certificates of tests are good from a day ago until a day from now.
test.each([
  ["Secret", 0, "True", "ExpiresSoon"],
  ["Secret", 25, "False", "Expired"],
  ["Secret", -25, "False", "NotYetValid"],
  ["Secret", -13 * 24 - 12, "False", "NotYetValid"],
  ["ConfigMap", 25, "False", "Expired"],
] as const)("a %s's certificates are looked at %d hours from now: %s, %s", (kind, hours, status, reason) => {
  expect(conditionsOf(kind, Date.now() + hours * HOUR_MS)).toMatchObject([{ status, reason }]);
});

test("an expired certificate is no refusal, and resources without one have no such condition", () => {
  expect(conditionsOf("Gateway", Date.now())).toEqual([]);
});

test("neither the report nor what refuses a Secret shows anything of a key", () => {
  const texts = [
    yamlFile(tlsMesh(), secretYaml({ certified })),
    yamlFile(tlsMesh(), secretYaml({ certified, privateKey: certified.privateKey.replace("MIG", "MIH") })),
    secretYaml({ certified }).replace("    MIG", "  MIG"),
    secretYaml({ certified }).replace("tls.key: |", "tls.key:"),
    secretYaml({ certified }).replace(/tls.key: \|\s*-.*\s*/, "tls.key: |"),
    secretYaml({ certified }).replace(/tls.key: \|\s*-.*\s*/, "tls.key: ]"),
    secretYaml({ certified }).replaceAll("\n    ", "\n").replace("tls.key: |", "tls.key: ["),
  ];
  const fragments = certified.privateKey
    .split("\n")
    .filter((line) => line.length > 20 && !line.includes("---"));
  for (const text of texts) {
    const state = new ResourceStore().apply(readText(text));
    const shown = JSON.stringify([resourceReport(state, []), state.refusals]);
    for (const line of fragments)
      for (let at = 0; at + 16 <= line.length; at += 8) expect(shown).not.toContain(line.slice(at, at + 16));
  }
});
