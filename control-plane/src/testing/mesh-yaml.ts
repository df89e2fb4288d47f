// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** A GatewayClass of ours, as YAML. */
export const classYaml = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: msm }
spec: { controllerName: mediastreamingmesh.io/gateway-controller }
`;

/** A Gateway with one RTP listener. */
export function gatewayYaml({
  name = "camera",
  listener = "video",
  port = 5004,
  protocol = "mediastreamingmesh.io/RTP",
} = {}): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: ${name}
spec:
  gatewayClassName: msm
  listeners:
    - name: ${listener}
      port: ${port}
      protocol: ${protocol}
`;
}

/** A Backend with one endpoint on the loopback. */
export function backendYaml({ name = "viewer", port = 6004 } = {}): string {
  return `apiVersion: mediastreamingmesh.io/v1alpha1
kind: Backend
metadata:
  name: ${name}
spec:
  endpoints:
    - address: 127.0.0.1
      port: ${port}
`;
}

/** A UDPRoute from a Gateway to a Backend. */
export function routeYaml({ name = "video", gateway = "camera", backend = "viewer" } = {}): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: UDPRoute
metadata:
  name: ${name}
spec:
  parentRefs:
    - name: ${gateway}
  rules:
    - backendRefs:
        - group: mediastreamingmesh.io
          kind: Backend
          name: ${backend}
`;
}

/** A WasmFilter on the Gateway `camera`; `more` is added to its spec. */
export function filterYaml({ name = "stats", more = "builtin: rtp-stats" } = {}): string {
  return `apiVersion: mediastreamingmesh.io/v1alpha1
kind: WasmFilter
metadata:
  name: ${name}
spec:
  targetRefs:
    - kind: Gateway
      name: camera
  ${more}
`;
}

/** Several documents as one file. */
export function yamlFile(...documents: readonly string[]): string {
  return documents.join("---\n");
}

/** A mesh in which everything fits: one listener, one route, one backend. */
export const smallMesh = yamlFile(classYaml, gatewayYaml(), backendYaml(), routeYaml());

/** A Gateway `rtsp` with one RTSP listener; `annotations` are lines of its metadata. */
export function rtspGatewayYaml({ port = 8554, annotations = "{}" } = {}): string {
  const yaml = gatewayYaml({ name: "rtsp", listener: "rtsp", port, protocol: "mediastreamingmesh.io/RTSP" });
  return yaml.replace("  name: rtsp\n", `  name: rtsp\n  annotations: ${annotations}\n`);
}

/** An RTSPRoute from the Gateway `rtsp`; `rule` is the rest of its only rule, `more` the rest of its spec. */
export function rtspRouteYaml({ name = "cameras", backend = "viewer", rule = "", more = "" } = {}): string {
  return `apiVersion: mediastreamingmesh.io/v1alpha1
kind: RTSPRoute
metadata:
  name: ${name}
spec:
  parentRefs:
    - name: rtsp
  rules:
    - backendRefs:
        - group: mediastreamingmesh.io
          kind: Backend
          name: ${backend}
${rule === "" ? "" : indent(rule, 6)}${more === "" ? "" : indent(more, 2)}`;
}

function indent(text: string, columns: number): string {
  return text
    .split("\n")
    .map((line) => `${" ".repeat(columns)}${line}\n`)
    .join("");
}

/** A mesh with an RTSP listener, a route and a backend. */
export const rtspMesh = yamlFile(classYaml, rtspGatewayYaml(), backendYaml(), rtspRouteYaml());
