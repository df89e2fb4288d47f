// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Mesh } from "../mesh/mesh.ts";

/** What the demo prints when the mesh is up. */
export function welcome(mesh: Mesh, sdpPath: string, logFolder: string): string {
  return `
A camera streams H.264 and a tone through the mesh to a viewer, all on this machine.

What just happened
  1. The control plane read deploy/local/mesh.yaml: a Gateway, its UDPRoutes and their Backends.
  2. control-plane/src/translate turned that into Envoy v3 listeners, clusters and endpoints.
  3. The proxy asked for them over xDS (proxy/src/xds), checked them and opened UDP ports 5004 to 5007.
  4. Its datapath workers (proxy/src/worker) take datagrams in batches and send them to the viewer's ports, 6004 to 6007.
  5. On the way each batch passes filters/rtp-stats, a WebAssembly filter: loss, jitter and round trip by RFC 3550.
  6. Source and viewer are deploy/src/media; the viewer counts for itself, so the two halves of the table can be compared.

Look  picture      http://${mesh.admin.address}/view     in a browser: each stream, from where to where
      proxy admin  http://${mesh.admin.address}/  (/streams, /stats/prometheus, /config_dump)
      control      http://${mesh.http}/debug/resources
Watch ffplay -protocol_whitelist file,udp,rtp ${sdpPath}     or: vlc ${sdpPath}
Edit  deploy/local/mesh.yaml while this runs: the change reaches the proxy in less than a second, media flows on.
Logs  ${logFolder}/control-plane.log, ${logFolder}/proxy.log     Stop with Ctrl-C.
`;
}

/** What the RTSP demo prints when the mesh is up. */
export function rtspWelcome(mesh: Mesh, url: string, logFolder: string): string {
  return `
A camera that speaks RTSP is played through the mesh, all on this machine.

What just happened
  1. The control plane read deploy/local/rtsp.yaml: a Gateway, an RTSPRoute and its Backend, the camera.
  2. control-plane/src/translate turned that into Envoy v3: a listener with its routes, a cluster, endpoints.
  3. The proxy asked for them over xDS and opened TCP port 8554; filters/rtsp, WebAssembly, speaks RTSP there.
  4. A viewer asked for ${url}. The filter found the route, opened one session with the camera and a flow
     for each track; any further reader shares that session.
  5. Media go from the camera by UDP to a datapath worker, through filters/rtp-stats, and to every reader.

Watch ffplay -rtsp_transport udp ${url}     or: vlc ${url}
Look  picture      http://${mesh.admin.address}/view     in a browser: the camera, its streams, their readers
      npm run msm -- top     the same in a terminal
      proxy admin  http://${mesh.admin.address}/  (/flows, /streams, /stats/prometheus, /config_dump)
      control      http://${mesh.http}/debug/resources
Edit  deploy/local/rtsp.yaml while this runs: the change reaches the proxy in less than a second, media flow on.
Logs  ${logFolder}/control-plane.log, ${logFolder}/proxy.log     Stop with Ctrl-C.
`;
}
