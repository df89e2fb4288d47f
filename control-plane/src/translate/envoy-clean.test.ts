// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isMessage } from "@msm/xds-protos";
import { ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { expect, test } from "vitest";
import { ResourceStore } from "../mesh/resource-store.ts";
import { backendYaml, classYaml, gatewayYaml, routeYaml, yamlFile } from "../testing/mesh-yaml.ts";
import { readText } from "../testing/read-text.ts";
import { envoyClean } from "./envoy-clean.ts";
import { type Profile, translateMesh } from "./translate-mesh.ts";

/** What a mesh whose backend is checked so comes to for a profile. */
function produce(check: string, profile: Profile) {
  const backend = `${backendYaml()}  policy: { healthCheck: ${check} }\n`;
  const { mesh, refusals } = new ResourceStore().apply(
    readText(yamlFile(classYaml, gatewayYaml(), routeYaml(), backend)),
  );
  expect(refusals).toEqual([]);
  return translateMesh(mesh, profile);
}

const checkers = (check: string, profile: Profile) =>
  produce(check, profile).flatMap(({ message }) =>
    isMessage(message, ClusterSchema)
      ? message.healthChecks.map(({ healthChecker }) => healthChecker.case)
      : [],
  );

test("an Envoy is not told of a checker that only our proxies have", () => {
  expect(checkers("{ type: STUN }", "msm")).toEqual(["customHealthCheck"]);
  expect(checkers("{ type: STUN }", "envoy")).toEqual([]);
});

test("an Envoy checks what it can", () => {
  expect(checkers("{ type: TCP }", "envoy")).toEqual(["tcpHealthCheck"]);
});

test("the same resources give the same objects", () => {
  const part = produce("{ type: STUN }", "msm");
  expect(envoyClean(part)).toEqual(envoyClean(part));
  for (const [index, item] of envoyClean(part).entries()) expect(envoyClean(part)[index]).toBe(item);
  const plain = produce("{ type: TCP }", "msm");
  expect(envoyClean(plain)).toBe(plain);
});
