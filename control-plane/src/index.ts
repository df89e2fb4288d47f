// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

export type { Logger } from "./logger.ts";
export type { Refusal } from "./refusal.ts";
export { type ControlPlane, type ControlPlaneOptions, startControlPlane } from "./start-control-plane.ts";
