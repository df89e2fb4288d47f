// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** The head of a message; what is longer gets 413. Real ones have some hundred bytes. */
export const MAX_HEAD_BYTES: u32 = 16 * 1024;

/** The body of a message; a description has a few thousand bytes at most. */
export const MAX_BODY_BYTES: u32 = 64 * 1024;

/** A URI; what is longer gets 414. */
export const MAX_URI_BYTES: i32 = 4_096;

/** Of what came in part, for all connections together: beyond it whoever sends half a message is let go. */
export const MAX_KEPT_BYTES: usize = 6 * 1024 * 1024;

/** How long the rest of a message may take, in milliseconds: a head sent byte by byte holds a connection no longer. */
export const MESSAGE_MS: i64 = 10_000;

/** How long a server may take to answer a request, in milliseconds. */
export const ANSWER_MS: i64 = 10_000;

/** Sessions of one connection, and streams that it described and may set up. */
export const MAX_PER_CONNECTION: i32 = 16;

/** Tracks of a stream; a description has more only to do harm. */
export const MAX_TRACKS: i32 = 16;

/** Streams that are read at once; each has a connection and flows of its own. */
export const MAX_SOURCES: i32 = 4_096;
