// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** What the main thread's parts need of a logger; a child logger of pino fits. */
export type Logger = Readonly<
  Record<"debug" | "info" | "warn" | "error", (fields: object, message: string) => void>
>;

/** A logger that says nothing, for those who embed a proxy and do not give one. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
