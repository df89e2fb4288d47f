// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { FIRST_SESSION_CONTEXT, PLUGIN_CONTEXT, Status } from "./abi.ts";
import type { GuestState } from "./guest-state.ts";
import type { sharingCalls } from "./import-names.ts";
import { hasReader, pathName } from "./properties.ts";

const MAX_KEY_BYTES = 256;
const MAX_VALUE_BYTES = 65_536;

type SharingImports = Record<(typeof sharingCalls)[number], CallableFunction>;

/** Host calls by which filters share data: by key, by queue, and with a session. */
export function sharingImports(state: GuestState): SharingImports {
  return { ...dataCalls(state), ...queueCalls(state), ...sessionCalls(state) };
}

function dataCalls(state: GuestState) {
  const { memory, host, plan } = state;
  return {
    proxy_get_shared_data(
      key: number,
      size: number,
      addressOut: number,
      sizeOut: number,
      casOut: number,
    ): number {
      const name = readKey(state, key, size);
      if (typeof name === "number") return name;
      if (!memory.holds(casOut >>> 0, 4)) return Status.InvalidMemoryAccess;
      const value = host.shared.get(plan.vmId, name);
      if (value === undefined) return Status.NotFound;
      memory.writeU32(casOut >>> 0, value.cas);
      return memory.give(value.bytes, addressOut >>> 0, sizeOut >>> 0)
        ? Status.Ok
        : Status.InvalidMemoryAccess;
    },
    proxy_set_shared_data(key: number, size: number, value: number, valueSize: number, cas: number): number {
      const name = readKey(state, key, size);
      if (typeof name === "number") return name;
      const bytes = readValue(state, value, valueSize);
      return typeof bytes === "number" ? bytes : host.shared.set(plan.vmId, name, bytes, cas >>> 0);
    },
  };
}

function queueCalls(state: GuestState) {
  const { memory, host, plan } = state;
  return {
    proxy_register_shared_queue(name: number, size: number, idOut: number): number {
      const text = readKey(state, name, size);
      if (typeof text === "number") return text;
      if (!memory.holds(idOut >>> 0, 4)) return Status.InvalidMemoryAccess;
      const id = host.shared.register(plan.vmId, text, state);
      if (id < 0) return Status.QuotaExceeded;
      memory.writeU32(idOut >>> 0, id);
      return Status.Ok;
    },
    proxy_resolve_shared_queue(
      vmId: number,
      vmSize: number,
      name: number,
      size: number,
      idOut: number,
    ): number {
      const vm = readKey(state, vmId, vmSize);
      const text = readKey(state, name, size);
      if (typeof vm === "number") return vm;
      if (typeof text === "number") return text;
      if (!memory.holds(idOut >>> 0, 4)) return Status.InvalidMemoryAccess;
      const id = host.shared.resolve(vm, text);
      if (id < 0) return Status.NotFound;
      memory.writeU32(idOut >>> 0, id);
      return Status.Ok;
    },
    proxy_enqueue_shared_queue(id: number, value: number, size: number): number {
      const bytes = readValue(state, value, size);
      return typeof bytes === "number" ? bytes : host.shared.enqueue(id >>> 0, bytes);
    },
    proxy_dequeue_shared_queue(id: number, addressOut: number, sizeOut: number): number {
      if (!memory.holds(addressOut >>> 0, 4) || !memory.holds(sizeOut >>> 0, 4))
        return Status.InvalidMemoryAccess;
      const entry = host.shared.dequeue(id >>> 0);
      if (typeof entry === "number") return entry;
      return memory.give(entry, addressOut >>> 0, sizeOut >>> 0) ? Status.Ok : Status.InvalidMemoryAccess;
    },
  };
}

function sessionCalls(state: GuestState) {
  const { host } = state;
  const isLive = (context: number): boolean => host.sessions.has(context - FIRST_SESSION_CONTEXT);
  return {
    proxy_set_property(path: number, size: number, value: number, valueSize: number): number {
      const text = readKey(state, path, size);
      if (typeof text === "number") return text;
      const name = pathName(text);
      if (hasReader(name)) return Status.BadArgument;
      if (!isLive(state.context)) return Status.NotFound;
      const bytes = readValue(state, value, valueSize);
      if (typeof bytes === "number") return bytes;
      return host.sessionState.set(state.context - FIRST_SESSION_CONTEXT, name, bytes);
    },
    proxy_set_buffer_bytes(
      type: number,
      start: number,
      size: number,
      value: number,
      valueSize: number,
    ): number {
      if (state.stream?.is(type) !== true) return Status.NotFound;
      const bytes = readValue(state, value, valueSize);
      return typeof bytes === "number" ? bytes : state.stream.replace(start >>> 0, size >>> 0, bytes);
    },
    proxy_continue_stream(type: number): number {
      return noteStream(state, type, (session) =>
        state.resumes.push({ session, isUpstream: type === UPSTREAM_DATA }),
      );
    },
    proxy_close_stream(type: number): number {
      return noteStream(state, type, (session) => host.closeRequests.add(session));
    },
    msm_route_session: (context: number, address: number, size: number): number =>
      routeSession(state, context, address, size),
    msm_set_timer(context: number, id: number, delayUs: bigint, periodUs: bigint): number {
      if (context !== PLUGIN_CONTEXT && !isLive(context)) return Status.NotFound;
      const milliseconds = (us: bigint): number => Number(us) / MICROSECONDS_PER_MS;
      const { timers } = state;
      return timers.set(context, id >>> 0, milliseconds(delayUs), milliseconds(periodUs), host.clock.exactMs);
    },
  };
}

/** Lets a session go on to another endpoint, and notes it for whoever asks for its properties. */
function routeSession(state: GuestState, context: number, address: number, size: number): number {
  const { host } = state;
  if (host.env.routeSession === undefined) return Status.Unimplemented;
  const endpoint = readKey(state, address, size);
  if (typeof endpoint === "number") return endpoint;
  const index = (context >>> 0) - FIRST_SESSION_CONTEXT;
  const session = host.sessions.get(index);
  if (session === undefined || !host.env.routeSession(index, endpoint)) return Status.NotFound;
  host.sessions.set(index, { ...session, endpoint });
  return Status.Ok;
}

const MICROSECONDS_PER_MS = 1_000;

/** `proxy_stream_type_t` of Proxy-Wasm, those of a connection. */
const DOWNSTREAM_DATA = 2;
const UPSTREAM_DATA = 3;

function noteStream(state: GuestState, type: number, note: (session: number) => void): number {
  if (type !== DOWNSTREAM_DATA && type !== UPSTREAM_DATA) return Status.BadArgument;
  if (!state.canDivert) return Status.Unimplemented;
  const session = state.context - FIRST_SESSION_CONTEXT;
  if (!state.host.sessions.has(session)) return Status.NotFound;
  note(session);
  return Status.Ok;
}

/** A short text of the guest's, or the status that refuses it. */
function readKey({ memory }: GuestState, address: number, size: number): string | number {
  if (size >>> 0 > MAX_KEY_BYTES) return Status.BadArgument;
  if (!memory.holds(address >>> 0, size >>> 0)) return Status.InvalidMemoryAccess;
  return memory.readText(address >>> 0, size >>> 0);
}

/** A copy of bytes of the guest's, or the status that refuses them. */
function readValue({ memory }: GuestState, address: number, size: number): Uint8Array | number {
  if (size >>> 0 > MAX_VALUE_BYTES) return Status.BadArgument;
  if (!memory.holds(address >>> 0, size >>> 0)) return Status.InvalidMemoryAccess;
  return memory.bytes.slice(address >>> 0, (address >>> 0) + (size >>> 0));
}
