// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// What programs that embed a proxy may use.
export { checkBootstrap } from "./check-bootstrap.ts";
export { BootstrapError, type BootstrapProblem } from "./config/bootstrap-error.ts";
export { ConfigError } from "./config-error.ts";
export type { LiveListener, LiveStream } from "./datapath/datapath.ts";
export type { FlowNotice, FlowService, LiveFlow, LiveLeg } from "./flow/flow-service.ts";
export type { Logger } from "./logger.ts";
export type { SocketAddress } from "./plan.ts";
export type { LogLevelControl, ProxyOptions } from "./proxy-options.ts";
export { type RunningProxy, startProxy } from "./start-proxy.ts";
