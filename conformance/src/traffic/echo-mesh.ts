// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { freeUdpPorts, type Mesh, type MeshOptions } from "@msm/deploy";
import { meshYaml } from "../mesh-yaml.ts";
import type { ScenarioContext } from "../runner/suite.ts";
import { EchoEndpoint } from "./echo-endpoint.ts";

/** How an echo mesh is made. */
export interface EchoMeshOptions extends Pick<MeshOptions, "io" | "concurrency" | "proxyArgs"> {
  /** 127.0.0.1 by default. */
  readonly address?: string;
  /** 2 by default. */
  readonly endpointCount?: number;
}

/** A Gateway port behind which endpoints echo, numbered from 1. */
export interface EchoMesh {
  readonly mesh: Mesh;
  readonly port: number;
  readonly endpoints: readonly EchoEndpoint[];
  /** The configuration that it was started with. */
  readonly yaml: string;
}

/** Starts such a mesh on one address of loopback. Its listener, route and Backend are named `echo`. */
export async function startEchoMesh(
  context: ScenarioContext,
  options: EchoMeshOptions = {},
): Promise<EchoMesh> {
  const { address = "127.0.0.1", endpointCount = 2, ...meshOptions } = options;
  const endpoints: EchoEndpoint[] = [];
  for (let number = 1; number <= endpointCount; number++) {
    const endpoint = await EchoEndpoint.start(address, number);
    context.defer(() => endpoint.close());
    endpoints.push(endpoint);
  }
  const [port] = (await freeUdpPorts(1, address)) as [number];
  const yaml = meshYaml({ address, listeners: [{ name: "echo", port, endpoints }] });
  const mesh = await context.startMesh({ ...meshOptions, config: { yaml }, ports: [port] });
  return { mesh, port, endpoints, yaml };
}
