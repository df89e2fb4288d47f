// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

export { type Applied, ControlPlaneState } from "./control-plane-state.ts";
export type { Logger } from "./logger.ts";
export type { RawResource } from "./model/raw-resource.ts";
export type { Refusal } from "./refusal.ts";
export type { SourceUpdate } from "./sources/source.ts";
export { type ControlPlane, type ControlPlaneOptions, startControlPlane } from "./start-control-plane.ts";
