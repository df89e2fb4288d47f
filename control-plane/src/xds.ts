// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

export type { Clock } from "./clock.ts";
export type { Logger } from "./logger.ts";
export type { AcceptRate } from "./server/accept-limiter.ts";
export type { Authorize, Denial } from "./server/check-identity.ts";
export { createXdsServer } from "./server/create-xds-server.ts";
export type { Peer } from "./server/peer.ts";
export type { Response } from "./server/protocol.ts";
export type { MissingResource } from "./server/stream-context.ts";
export type { Notice, StreamInfo, StreamObserver } from "./server/stream-observer.ts";
export type { TlsFiles } from "./server/tls-credentials.ts";
export type { XdsListener, XdsServer, XdsServerOptions } from "./server/xds-server-options.ts";
export type { ResourceReference } from "./snapshot/references.ts";
export { createEntry, type ResourceEntry } from "./snapshot/resource-entry.ts";
export { createSnapshot, missingReferences, type Snapshot, unusedResources } from "./snapshot/snapshot.ts";
export { type OnSnapshot, SnapshotCache } from "./snapshot/snapshot-cache.ts";
export { updateSnapshot } from "./snapshot/update-snapshot.ts";
export { ProxyRegistry, type ProxyStatus } from "./status/proxy-registry.ts";
