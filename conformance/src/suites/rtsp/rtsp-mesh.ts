// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createServer } from "node:net";
import { type Mesh, until } from "@msm/deploy";
import { stringify } from "yaml";
import type { ScenarioContext } from "../../runner/suite.ts";

/** How the proxy asks sources for their media. */
export type Upstream = "UDP" | "Interleaved";

/** Where a part of the mesh's paths leads: `/<name>/x` becomes `/x` at the endpoints. */
export interface RtspBackend {
  readonly name: string;
  readonly ports: readonly number[];
}

/** A mesh with one RTSP listener for each way to ask sources. */
export interface RtspMesh {
  readonly mesh: Mesh;
  /** `rtsp://127.0.0.1:port/backend/stream`. */
  url(upstream: Upstream, backend: string, stream: string): string;
}

const UPSTREAMS: readonly Upstream[] = ["UDP", "Interleaved"];

/** Starts it on free ports of 127.0.0.1. Readers may be silent for `sessionTimeoutSeconds`, RTSP's 60 unless said. */
export async function startRtspMesh(
  context: Pick<ScenarioContext, "startMesh">,
  backends: readonly RtspBackend[],
  sessionTimeoutSeconds?: number,
): Promise<RtspMesh> {
  const ports = await Promise.all(UPSTREAMS.map(freeTcpPort));
  const resources = rtspMeshYaml(ports, backends);
  const yaml =
    sessionTimeoutSeconds === undefined
      ? resources
      : `${resources}---\n${stringify(rtspFilter(sessionTimeoutSeconds))}`;
  const mesh = await context.startMesh({ config: { yaml }, ports });
  await until("both listeners took connections", async () =>
    (await Promise.all(ports.map(isTaken))).every(Boolean),
  );
  return {
    mesh,
    url: (upstream, backend, stream) =>
      `rtsp://127.0.0.1:${ports[UPSTREAMS.indexOf(upstream)]}/${backend}/${stream}`,
  };
}

/** The resources of such a mesh; `ports` are those of the listeners. */
export function rtspMeshYaml(ports: readonly number[], backends: readonly RtspBackend[]): string {
  const resources: object[] = [
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "GatewayClass",
      metadata: { name: "msm" },
      spec: { controllerName: "mediastreamingmesh.io/gateway-controller" },
    },
    ...UPSTREAMS.map((upstream, index) => gateway(upstream, ports[index]!)),
    ...backends.map(({ name, ports: endpoints }) => ({
      apiVersion: "mediastreamingmesh.io/v1alpha1",
      kind: "Backend",
      metadata: { name },
      spec: { endpoints: endpoints.map((port) => ({ address: "127.0.0.1", port })) },
    })),
    {
      apiVersion: "mediastreamingmesh.io/v1alpha1",
      kind: "RTSPRoute",
      metadata: { name: "sources" },
      spec: {
        parentRefs: UPSTREAMS.map((upstream) => ({ name: upstream.toLowerCase() })),
        rules: backends.map(({ name }) => rule(name)),
      },
    },
  ];
  return resources.map((resource) => stringify(resource)).join("---\n");
}

function gateway(upstream: Upstream, port: number): object {
  const annotations = { "mediastreamingmesh.io/upstream-transport": upstream };
  const listeners = [{ name: "rtsp", port, protocol: "mediastreamingmesh.io/RTSP" }];
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: upstream.toLowerCase(), annotations },
    spec: { gatewayClassName: "msm", addresses: [{ value: "127.0.0.1" }], listeners },
  };
}

function rtspFilter(sessionTimeoutSeconds: number): object {
  const targetRefs = UPSTREAMS.map((upstream) => ({ kind: "Gateway", name: upstream.toLowerCase() }));
  return {
    apiVersion: "mediastreamingmesh.io/v1alpha1",
    kind: "WasmFilter",
    metadata: { name: "rtsp" },
    spec: { targetRefs, builtin: "rtsp", config: { sessionTimeoutSeconds } },
  };
}

function rule(name: string): object {
  const path = { type: "ReplacePrefixMatch", replacePrefixMatch: "/" };
  return {
    matches: [{ path: { type: "PathPrefix", value: `/${name}` } }],
    filters: [{ type: "URLRewrite", urlRewrite: { path } }],
    backendRefs: [{ group: "mediastreamingmesh.io", kind: "Backend", name }],
  };
}

function freeTcpPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject).listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(true));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(false)));
  });
}
