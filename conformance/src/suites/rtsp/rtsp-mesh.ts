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
  /** `rtsp://address:port/backend/stream`. */
  url(upstream: Upstream, backend: string, stream: string): string;
}

const UPSTREAMS: readonly Upstream[] = ["UDP", "Interleaved"];
const LOOPBACK = "127.0.0.1";

/** What of such a mesh is not as usual. */
export interface RtspMeshOptions {
  /** For how long readers may be silent; RTSP's 60 unless said. */
  readonly sessionTimeoutSeconds?: number;
  /** Where it takes readers; 127.0.0.1 unless said. */
  readonly address?: string;
  readonly proxyArgs?: readonly string[];
  readonly concurrency?: number;
}

/** Starts it on free ports. */
export async function startRtspMesh(
  context: Pick<ScenarioContext, "startMesh">,
  backends: readonly RtspBackend[],
  { sessionTimeoutSeconds, address = LOOPBACK, ...rest }: RtspMeshOptions = {},
): Promise<RtspMesh> {
  const ports = await Promise.all(UPSTREAMS.map(() => freeTcpPort(address)));
  const resources = rtspMeshYaml(ports, backends, address);
  const yaml =
    sessionTimeoutSeconds === undefined
      ? resources
      : `${resources}---\n${stringify(rtspFilter(sessionTimeoutSeconds))}`;
  const mesh = await context.startMesh({ config: { yaml }, ports, ...rest });
  await until("both listeners took connections", async () =>
    (await Promise.all(ports.map((port) => isTaken(port, address)))).every(Boolean),
  );
  return {
    mesh,
    url: (upstream, backend, stream) =>
      `rtsp://${address}:${ports[UPSTREAMS.indexOf(upstream)]}/${backend}/${stream}`,
  };
}

/** The resources of such a mesh; `ports` are those of the listeners. */
export function rtspMeshYaml(
  ports: readonly number[],
  backends: readonly RtspBackend[],
  address = LOOPBACK,
): string {
  const resources: object[] = [
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "GatewayClass",
      metadata: { name: "msm" },
      spec: { controllerName: "mediastreamingmesh.io/gateway-controller" },
    },
    ...UPSTREAMS.map((upstream, index) => gateway(upstream, address, ports[index]!)),
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

function gateway(upstream: Upstream, address: string, port: number): object {
  const annotations = { "mediastreamingmesh.io/upstream-transport": upstream };
  const listeners = [{ name: "rtsp", port, protocol: "mediastreamingmesh.io/RTSP" }];
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: upstream.toLowerCase(), annotations },
    spec: { gatewayClassName: "msm", addresses: [{ value: address }], listeners },
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

/** A TCP port that is free now. */
export function freeTcpPort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject).listen(0, host, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === "object" && bound !== null ? bound.port : 0));
    });
  });
}

function isTaken(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(true));
    server.listen(port, host, () => server.close(() => resolve(false)));
  });
}
