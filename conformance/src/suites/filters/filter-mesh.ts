// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { freeUdpPorts, type Mesh } from "@msm/deploy";
import { meshYaml } from "../../mesh-yaml.ts";
import type { ScenarioContext } from "../../runner/suite.ts";
import { EchoEndpoint } from "../../traffic/echo-endpoint.ts";

const ADDRESS = "127.0.0.1";

/** A mesh with two listeners that echo; the first has the filters that are given. */
export interface FilterMesh {
  readonly mesh: Mesh;
  readonly filteredPort: number;
  readonly plainPort: number;
}

/** What a `WasmFilter` says of its code. */
export interface FilterSpec {
  readonly file: string;
  readonly config?: object;
  readonly failurePolicy?: "FailClosed" | "FailOpen";
}

/** Starts such a mesh, with one filter from a file. */
export async function startFilterMesh(context: ScenarioContext, filter: FilterSpec): Promise<FilterMesh> {
  const endpoint = await EchoEndpoint.start(ADDRESS, 1);
  context.defer(() => endpoint.close());
  const [filteredPort, plainPort] = (await freeUdpPorts(2, ADDRESS)) as [number, number];
  const spec = {
    targetRefs: [
      { group: "gateway.networking.k8s.io", kind: "Gateway", name: "edge", sectionName: "filtered" },
    ],
    ...filter,
  };
  const yaml = meshYaml({
    address: ADDRESS,
    listeners: [
      { name: "filtered", port: filteredPort, endpoints: [endpoint] },
      { name: "plain", port: plainPort, endpoints: [endpoint] },
    ],
    more: [
      {
        apiVersion: "mediastreamingmesh.io/v1alpha1",
        kind: "WasmFilter",
        metadata: { name: "under-test" },
        spec,
      },
    ],
  });
  const mesh = await context.startMesh({ config: { yaml }, ports: [filteredPort, plainPort] });
  return { mesh, filteredPort, plainPort };
}
