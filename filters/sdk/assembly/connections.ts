// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Connections of clients, and streams that a filter opens itself.
import { ByteWriter } from "./byte-writer";
import {
  msm_interleaved_data,
  msm_read_buffer,
  msm_reply,
  msm_stream_close,
  msm_stream_connect,
  msm_stream_write,
  proxy_close_stream,
  proxy_continue_stream,
  proxy_set_effective_context,
} from "./env";
import { property, setSessionValue } from "./host";
import { JsonWriter } from "./json-writer";
import { textAt } from "./text";

/** The most bytes that the host hands over in one call. */
const MAX_DATA_BYTES = 16_384;

const DOWNSTREAM_DATA: i32 = 2;
const UPSTREAM_DATA: i32 = 3;

const received = memory.data(MAX_DATA_BYTES, 8);
const outContext = memory.data(4, 4);
const outgoing = new ByteWriter();
const request = new JsonWriter();

/** Reads what came on a connection, or on a stream of the filter's own; valid until the next call. 0 where it cannot be. */
export function readData(size: u32, isStream: bool): usize {
  if (size > <u32>MAX_DATA_BYTES) return 0;
  return msm_read_buffer(isStream ? UPSTREAM_DATA : DOWNSTREAM_DATA, 0, size, received) == 0 ? received : 0;
}

/** Writes to a client; false where too much waits already, and nothing was written. */
export function reply(context: u32, text: string): bool {
  outgoing.clear();
  outgoing.text(text);
  return msm_reply(context, outgoing.address, outgoing.size) == 0;
}

/** Closes a client's connection when what was written has left. */
export function closeConnection(context: u32): void {
  proxy_set_effective_context(context);
  proxy_close_stream(DOWNSTREAM_DATA);
}

/** Lets a client go on that `onClientData` paused. */
export function resumeConnection(context: u32): void {
  proxy_set_effective_context(context);
  proxy_continue_stream(DOWNSTREAM_DATA);
}

/** For how long a client may be silent before the host closes its connection, in milliseconds; 0 for ever. */
export function setIdleTimeout(context: u32, timeoutMs: u32): void {
  outgoing.clear();
  outgoing.text(timeoutMs.toString());
  setSessionValue(context, "msm.connection.idle_timeout_ms", outgoing.address, outgoing.size);
}

/** Opens a stream to the endpoint of a route. Answers come to `onStream`. Returns its context, or 0. */
export function connectStream(route: u32): u32 {
  request.clear();
  request.beginObject();
  request.numberField("route", route);
  request.endObject();
  const isBegun = msm_stream_connect(request.out.address, request.out.size, outContext) == 0;
  return isBegun ? load<u32>(outContext) : 0;
}

/** Writes to a stream of the filter's own; false where too much waits already, and nothing was written. */
export function writeStream(context: u32, text: string): bool {
  outgoing.clear();
  outgoing.text(text);
  return msm_stream_write(context, outgoing.address, outgoing.size) == 0;
}

/** Closes a stream, at once or after what was written has left. */
export function closeStream(context: u32, isReset: bool): void {
  msm_stream_close(context, isReset ? 1 : 0);
}

/** Hands a packet that came inside a connection or stream to the flow that has a leg there. */
export function passInterleaved(context: u32, channel: u32, packet: usize, size: usize): bool {
  return msm_interleaved_data(context, channel, packet, size) == 0;
}

/** A property of a connection or stream as text; empty where there is none. */
export function contextText(context: u32, path: string): string {
  proxy_set_effective_context(context);
  return propertyText(path);
}

/** A property as text; empty where there is none. */
export function propertyText(path: string): string {
  const found = property(path);
  return found.size == 0 ? "" : textAt(found.address, found.size);
}

/** A property that is a number; 0 where there is none. */
export function propertyNumber(path: string): u64 {
  const found = property(path);
  return found.size == 8 ? load<u64>(found.address) : 0;
}

/** The number by which interleaved legs name a connection or stream. */
export function connectionNumber(context: u32): u64 {
  proxy_set_effective_context(context);
  return propertyNumber("msm.connection.id");
}
