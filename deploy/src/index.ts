// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

export { isPortFree } from "./local/port-owner.ts";
export { type Clock, systemClock } from "./media/clock.ts";
export { FRAMES_PER_SECOND, PPS, SPS } from "./media/h264-encoder.ts";
export type { ViewedStream } from "./media/incoming-media.ts";
export { goodbye } from "./media/rtcp.ts";
export { parseRtp, type RtpPacket } from "./media/rtp-header.ts";
export { RtpSource, type RtpSourceOptions } from "./media/rtp-source.ts";
export { RtpViewer, type RtpViewerOptions } from "./media/rtp-viewer.ts";
export { type CameraOptions, RtspCamera } from "./media/rtsp/rtsp-camera.ts";
export { RtspViewer, type RtspViewerOptions } from "./media/rtsp/rtsp-viewer.ts";
export { sessionDescription } from "./media/sdp.ts";
export { bindUdpPair } from "./media/udp-pair.ts";
export type { ConfigurationStatus, Refusal, ResourceStatus } from "./mesh/control-plane-status.ts";
export { freeUdpPorts } from "./mesh/free-port.ts";
export { type Mesh, type MeshOptions, startMesh } from "./mesh/mesh.ts";
export { ProxyAdmin, type ProxyFlow, type ProxyStream } from "./mesh/proxy-admin.ts";
export { type HostPort, proxyBootstrap } from "./mesh/proxy-bootstrap.ts";
export { Child, type ChildExit, type ChildOptions } from "./process/child.ts";
export { until } from "./process/until.ts";
