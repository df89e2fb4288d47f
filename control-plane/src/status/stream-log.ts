// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Logger } from "../logger.ts";
import type { Notice, StreamObserver } from "../server/stream-observer.ts";

const noticeText: Readonly<Record<Notice["kind"], string>> = {
  "late-refusal": "proxy refused a response that had been replaced",
  oversized: "response is larger than gRPC clients take by default: raise their limit or split the mesh",
  "no-clusters": "proxy came back with endpoints and asks for no clusters: restart it if it does not serve",
};

/** Logs what a person wants to know of the streams: who came and went, and what was refused. */
export function streamLog(logger: Logger): StreamObserver {
  return {
    opened: (stream) => logger.info(stream, "proxy connected"),
    closed: (stream) => logger.info(stream, "proxy disconnected"),
    stalled: (stream) => logger.warn(stream, "proxy answers nothing"),
    noticed: (stream, { kind, typeUrl, bytes }) =>
      logger.warn({ nodeId: stream.nodeId, typeUrl, bytes }, noticeText[kind]),
    sent: (stream, { typeUrl, nonce, entries, removed }) =>
      logger.debug({ nodeId: stream.nodeId, typeUrl, nonce, entries: entries.length, removed }, "pushed"),
    accepted: (stream, typeUrl, nonce) => logger.debug({ nodeId: stream.nodeId, typeUrl, nonce }, "accepted"),
    refused: (stream, typeUrl, nonce, _entries, error) =>
      logger.warn({ nodeId: stream.nodeId, typeUrl, nonce, error }, "proxy refused configuration"),
  };
}
