// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { FlowSchema } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { BufferType, FIRST_SESSION_CONTEXT, Status } from "../wasm/abi.ts";
import type { signallingCalls } from "../wasm/import-names.ts";
import { pathName } from "../wasm/properties.ts";
import { sharingImports } from "../wasm/sharing-imports.ts";
import {
  GuestJsonError,
  readConnectRequest,
  readJsonMessage,
  readJsonObject,
  readRouteRequest,
} from "./read-guest-json.ts";
import type { SignallingState } from "./signalling-state.ts";
import type { Delivery, StreamTarget } from "./signalling-world.ts";

/** The longest request in JSON: a flow with a thousand legs. */
const MAX_JSON_BYTES = 1024 * 1024;

/** Texts of a capability restriction that must be named: no filter connects anywhere by default. */
const ANY_ADDRESS = "msm_stream_connect_address";

/** The path of the one property of a connection that can be set. */
const IDLE_TIMEOUT = "msm.connection.idle_timeout_ms";

const DELIVERIES: Readonly<Record<Delivery, number>> = {
  taken: Status.Ok,
  "no-leg": Status.NotFound,
  full: Status.QuotaExceeded,
};

type SignallingImports = Record<(typeof signallingCalls)[number], CallableFunction>;

/** The host calls of one signalling instance, and those of other filters that differ here. */
export function signallingImports(
  state: SignallingState,
): SignallingImports & Readonly<Record<string, CallableFunction>> {
  return { ...bufferCalls(state), ...peerCalls(state), ...flowCalls(state), ...routeCalls(state) };
}

function bufferCalls(state: SignallingState) {
  const { guest, world, peers } = state;
  const { memory, plan } = guest;
  const { proxy_set_property: setProperty } = sharingImports(guest);
  const bufferOf = (type: number): Uint8Array | null => {
    if (guest.stream?.is(type) === true) return guest.stream.content;
    if (type === BufferType.VmConfiguration) return plan.vmConfiguration;
    return type === BufferType.PluginConfiguration ? plan.configuration : null;
  };
  return {
    msm_read_buffer(type: number, start: number, size: number, to: number): number {
      const buffer = bufferOf(type);
      if (buffer === null) return Status.NotFound;
      if ((start >>> 0) + (size >>> 0) > buffer.length) return Status.BadArgument;
      if (!memory.holds(to >>> 0, size >>> 0)) return Status.InvalidMemoryAccess;
      memory.bytes.set(buffer.subarray(start >>> 0, (start >>> 0) + (size >>> 0)), to >>> 0);
      return Status.Ok;
    },
    // What came in is consumed by the filter and goes nowhere, so that there is nothing to replace.
    proxy_set_buffer_bytes: (): number => Status.Unimplemented,
    proxy_set_property(path: number, size: number, value: number, valueSize: number): number {
      if (!memory.holds(path >>> 0, size >>> 0) || !memory.holds(value >>> 0, valueSize >>> 0)) {
        return Status.InvalidMemoryAccess;
      }
      const name = pathName(memory.readText(path >>> 0, Math.min(size >>> 0, 256)));
      if (name !== IDLE_TIMEOUT) {
        if (name.startsWith("msm.")) return Status.BadArgument;
        return Number((setProperty as (...args: readonly number[]) => number)(path, size, value, valueSize));
      }
      const timeoutMs = Number(memory.readText(value >>> 0, Math.min(valueSize >>> 0, 16)));
      if (peers.get(guest.context)?.kind !== "connection") return Status.NotFound;
      if (!Number.isInteger(timeoutMs) || timeoutMs < 0 || timeoutMs > 0x7fff_ffff) return Status.BadArgument;
      world.setIdleTimeout(guest.context, timeoutMs);
      return Status.Ok;
    },
  };
}

function peerCalls(state: SignallingState) {
  const { guest, world, peers } = state;
  const { memory } = guest;
  const write = (kind: "connection" | "stream", context: number, from: number, size: number): number => {
    if (!memory.holds(from, size)) return Status.InvalidMemoryAccess;
    if (peers.get(context)?.kind !== kind) return Status.NotFound;
    return world.write(context, memory.bytes.subarray(from, from + size)) ? Status.Ok : Status.QuotaExceeded;
  };
  return {
    msm_reply: (context: number, from: number, size: number): number =>
      write("connection", context >>> 0, from >>> 0, size >>> 0),
    msm_stream_write: (context: number, from: number, size: number): number =>
      write("stream", context >>> 0, from >>> 0, size >>> 0),
    msm_stream_close(context: number, how: number): number {
      if (peers.get(context >>> 0)?.kind !== "stream") return Status.NotFound;
      if (how !== 0 && how !== 1) return Status.BadArgument;
      world.close(context >>> 0, how === 0 ? "flush" : "reset");
      return Status.Ok;
    },
    msm_stream_connect(from: number, size: number, out: number): number {
      if (!memory.holds(out >>> 0, 4)) return Status.InvalidMemoryAccess;
      return withJson(state, from, size, (text) => {
        const target = targetOf(state, text);
        if (typeof target === "number") return target;
        if (!state.canConnect) return Status.QuotaExceeded;
        const context = state.takeContext();
        const connection = world.connect(context, target);
        const addresses = { source: "", upstream: "", local: "" };
        state.addPeer(context, { kind: "stream", connection, flows: 0 }, addresses);
        memory.writeU32(out >>> 0, context);
        return Status.Ok;
      });
    },
    msm_interleaved_data(context: number, channel: number, from: number, size: number): number {
      if (!memory.holds(from >>> 0, size >>> 0)) return Status.InvalidMemoryAccess;
      if (!peers.has(context >>> 0)) return Status.NotFound;
      if (channel >>> 0 > 255 || size >>> 0 > 65_535) return Status.BadArgument;
      const packet = memory.bytes.subarray(from >>> 0, (from >>> 0) + (size >>> 0));
      return DELIVERIES[world.sendInterleaved(context >>> 0, channel >>> 0, packet)];
    },
  };
}

/** Where a stream is to go, or the status that refuses it. */
function targetOf(state: SignallingState, text: string): StreamTarget | number {
  const request = readConnectRequest(text);
  if (request.kind === "cluster") return request;
  if (request.kind === "address") {
    return state.guest.plan.capabilities?.includes(ANY_ADDRESS) === true ? request : Status.Denied;
  }
  const choice = state.routes.get(request.handle);
  return choice === undefined || choice.endpoint === "" ? Status.NotFound : { kind: "route", choice };
}

function flowCalls(state: SignallingState) {
  const { guest, world, flows } = state;
  const { memory } = guest;
  return {
    msm_open_flow(from: number, size: number, out: number): number {
      if (!memory.holds(out >>> 0, 4)) return Status.InvalidMemoryAccess;
      return withJson(state, from, size, (text) => {
        const flow = readJsonMessage(FlowSchema, readJsonObject(text));
        const number = state.addFlow();
        if (number === undefined) return Status.QuotaExceeded;
        flow.id = String(number);
        state.putFlow(number, flow);
        memory.writeU32(out >>> 0, number);
        return Status.Ok;
      });
    },
    msm_update_flow(number: number, from: number, size: number): number {
      if (!flows.has(number >>> 0)) return Status.NotFound;
      return withJson(state, from, size, (text) => {
        const flow = readJsonMessage(FlowSchema, readJsonObject(text));
        flow.id = String(number >>> 0);
        state.putFlow(number >>> 0, flow);
        return Status.Ok;
      });
    },
    msm_change_flow(number: number, from: number, size: number): number {
      if (!flows.has(number >>> 0)) return Status.NotFound;
      return withJson(state, from, size, (text) => {
        const { removed = [], ...fields } = readJsonObject(text);
        if (!Array.isArray(removed)) throw new GuestJsonError("removed is not a list");
        const changed = readJsonMessage(FlowSchema, fields);
        state.changeFlow(number >>> 0, { changed, removed: removed.map(String) });
        return Status.Ok;
      });
    },
    msm_close_flow(number: number): number {
      if (!flows.has(number >>> 0)) return Status.NotFound;
      world.closeFlow(number >>> 0);
      return Status.Ok;
    },
  };
}

function routeCalls(state: SignallingState) {
  const { guest, world, routes } = state;
  const { memory } = guest;
  return {
    msm_select_route(from: number, size: number, out: number): number {
      if (!memory.holds(out >>> 0, 4)) return Status.InvalidMemoryAccess;
      return withJson(state, from, size, (text) => {
        const { host, context } = guest;
        const stateOf = (name: string): string | undefined => {
          const value = host.sessionState.get(context - FIRST_SESSION_CONTEXT, name);
          return value && Buffer.from(value).toString();
        };
        const choice = world.selectRoute({ ...readRouteRequest(text), state: stateOf });
        const handle = state.addRoute(choice);
        if (handle === undefined) {
          world.releaseRoute(choice);
          return Status.QuotaExceeded;
        }
        memory.writeU32(out >>> 0, handle);
        return choice.endpoint === "" ? Status.NotFound : Status.Ok;
      });
    },
    msm_report_result(handle: number, code: number): number {
      const choice = routes.get(handle >>> 0);
      if (choice === undefined) return Status.NotFound;
      world.reportResult(choice, code);
      return Status.Ok;
    },
    msm_release_route(handle: number): number {
      const choice = routes.get(handle >>> 0);
      if (choice === undefined) return Status.NotFound;
      routes.delete(handle >>> 0);
      world.releaseRoute(choice);
      return Status.Ok;
    },
  };
}

/** Runs `use` on a text of the guest's. What is wrong with the text is logged, for whoever writes the filter. */
function withJson(
  { guest }: SignallingState,
  from: number,
  size: number,
  use: (text: string) => number,
): number {
  if (size >>> 0 > MAX_JSON_BYTES) return Status.BadArgument;
  if (!guest.memory.holds(from >>> 0, size >>> 0)) return Status.InvalidMemoryAccess;
  try {
    return use(guest.memory.readText(from >>> 0, size >>> 0));
  } catch (error) {
    if (!(error instanceof GuestJsonError)) throw error;
    guest.logHostText(`a request of the filter cannot be used: ${error.message}`);
    return Status.ParseFailure;
  }
}
