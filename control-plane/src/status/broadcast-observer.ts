// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { StreamObserver } from "../server/stream-observer.ts";

/** One observer that passes everything on to several, in order. */
export function broadcastObserver(observers: readonly StreamObserver[]): StreamObserver {
  return {
    opened: (...event) => observers.forEach((observer) => void observer.opened(...event)),
    subscribed: (...event) => observers.forEach((observer) => void observer.subscribed?.(...event)),
    noticed: (...event) => observers.forEach((observer) => void observer.noticed?.(...event)),
    sent: (...event) => observers.forEach((observer) => void observer.sent(...event)),
    accepted: (...event) => observers.forEach((observer) => void observer.accepted(...event)),
    refused: (...event) => observers.forEach((observer) => void observer.refused(...event)),
    stalled: (...event) => observers.forEach((observer) => void observer.stalled(...event)),
    closed: (...event) => observers.forEach((observer) => void observer.closed(...event)),
  };
}
