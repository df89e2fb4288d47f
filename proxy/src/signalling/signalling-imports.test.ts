// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create } from "@msm/xds-protos";
import { FlowEvent_Kind, FlowEventSchema, FlowSchema } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { Status } from "../wasm/abi.ts";
import { ChainHost, GuestState } from "../wasm/guest-state.ts";
import { signallingCalls } from "../wasm/import-names.ts";
import { createImports } from "../wasm/imports.ts";
import { MemoryEnvironment } from "../wasm/testing/memory-environment.ts";
import { signallingImports } from "./signalling-imports.ts";
import { readSignallingProperty } from "./signalling-properties.ts";
import { SignallingState } from "./signalling-state.ts";
import type { RouteChoice } from "./signalling-world.ts";
import { signallingPlan, testOptions } from "./testdata/wat-signalling.ts";
import { MemoryWorld } from "./testing/memory-world.ts";

const OUT = 1_024;
const CONNECTION = 2;
const plan = await signallingPlan();

let env: MemoryEnvironment;
let world: MemoryWorld;
let state: SignallingState;
type Call = (...args: readonly (number | bigint)[]) => number;
let call: (name: string, ...args: readonly (number | bigint)[]) => number;

beforeEach(() => begin());

function begin(capabilities: readonly string[] = []): void {
  env = new MemoryEnvironment();
  world = new MemoryWorld();
  const guest = new GuestState({ ...plan, capabilities }, new ChainHost(env));
  state = new SignallingState(guest, world, testOptions);
  guest.readMore = (name) => readSignallingProperty(state, name);
  let next = 100_000;
  guest.memory.attach(new WebAssembly.Memory({ initial: 4 }), (size) => {
    next += size;
    return next - size;
  });
  const imports = createImports(guest, signallingImports(state));
  call = (name, ...args) => (imports.env![name] as unknown as Call)(...args);
  expect(state.takeContext()).toBe(CONNECTION);
  const addresses = { source: "192.0.2.1:4000", upstream: "", local: "192.0.2.2:554" };
  state.addPeer(CONNECTION, { kind: "connection", connection: 77, flows: 0 }, addresses);
  guest.context = CONNECTION;
}

function put(text: string, address = 4_096): [number, number] {
  const bytes = new TextEncoder().encode(text);
  state.guest.memory.bytes.set(bytes, address);
  return [address, bytes.length];
}

const json = (value: unknown): [number, number] => put(JSON.stringify(value));
const out = (): number => state.guest.memory.view.getUint32(OUT, true);

function property(path: string): string | undefined {
  const status = call("proxy_get_property", ...put(path, 2_048), OUT, OUT + 4);
  if (status !== Status.Ok) return undefined;
  const { view } = state.guest.memory;
  return state.guest.memory.readText(view.getUint32(OUT, true), view.getUint32(OUT + 4, true));
}

const found: RouteChoice = {
  ...{ status: 200, reason: "", name: "lobby", cluster: "cams" },
  ...{ endpoint: "192.0.2.8:554", host: "cam.local", path: "/new" },
};

test("every call of the table is there", () => {
  expect(Object.keys(signallingImports(state))).toEqual(expect.arrayContaining([...signallingCalls]));
});

describe("connections", () => {
  test("are written to, unless too much waits", () => {
    expect(call("msm_reply", CONNECTION, ...put("RTSP/1.0 200 OK"))).toBe(Status.Ok);
    expect(world.takeText(CONNECTION)).toBe("RTSP/1.0 200 OK");
    world.takesWrites = false;
    expect(call("msm_reply", CONNECTION, ...put("more"))).toBe(Status.QuotaExceeded);
    expect(call("msm_reply", 99, ...put("more"))).toBe(Status.NotFound);
    expect(call("msm_stream_write", CONNECTION, ...put("not a stream"))).toBe(Status.NotFound);
  });

  test("have their addresses and their number as properties", () => {
    expect(property("source.address")).toBe("192.0.2.1:4000");
    expect(property("destination\0address")).toBe("192.0.2.2:554");
    expect(property("msm.connection.id")?.charCodeAt(0)).toBe(77);
    expect(property("msm.media.advertised_address")).toBe("203.0.113.9");
    expect(property("msm.media.upstream_transport")).toBe("AUTOMATIC");
  });

  test("get another idle time-out, and no other property of the host's is set", () => {
    const set = (path: string, value: string) =>
      call("proxy_set_property", ...put(path, 2_048), ...put(value));
    expect(set("msm.connection.idle_timeout_ms", "0")).toBe(Status.Ok);
    expect(world.idleTimeouts.get(CONNECTION)).toBe(0);
    expect(set("msm.connection.idle_timeout_ms", "-1")).toBe(Status.BadArgument);
    expect(set("msm.connection.idle_timeout_ms", "soon")).toBe(Status.BadArgument);
    expect(set("msm.connection.id", "1")).toBe(Status.BadArgument);
    expect(set("user", "alice")).toBe(Status.Ok);
    expect(property("filter_state.user")).toBe("alice");
  });

  test("hand interleaved packets over, and tell what became of them", () => {
    const give = (channel: number) => call("msm_interleaved_data", CONNECTION, channel, ...put("rtp"));
    expect(give(0)).toBe(Status.Ok);
    expect(world.packets).toMatchObject([{ context: CONNECTION, channel: 0 }]);
    world.delivery = "full";
    expect(give(0)).toBe(Status.QuotaExceeded);
    world.delivery = "no-leg";
    expect(give(9)).toBe(Status.NotFound);
    expect(give(256)).toBe(Status.BadArgument);
  });
});

describe("streams", () => {
  const connect = (target: unknown) => call("msm_stream_connect", ...json(target), OUT);

  test("go to a cluster, or where a route leads, and have a context of their own", () => {
    expect(connect({ cluster: "cams" })).toBe(Status.Ok);
    const stream = out();
    expect(stream).not.toBe(CONNECTION);
    world.route = () => found;
    expect(call("msm_select_route", ...json({ host: "h", path: "/", method: "SETUP" }), OUT)).toBe(Status.Ok);
    expect(connect({ route: out() })).toBe(Status.Ok);
    expect(world.streams.map(({ target }) => target)).toEqual([
      { kind: "cluster", cluster: "cams" },
      { kind: "route", choice: found },
    ]);
    expect(call("msm_stream_write", stream, ...put("OPTIONS *"))).toBe(Status.Ok);
    expect(call("msm_stream_close", stream, 1)).toBe(Status.Ok);
    expect(world.closed).toEqual([{ context: stream, how: "reset" }]);
  });

  test("go to any address only where the filter may do that by name", () => {
    expect(connect({ address: "192.0.2.3:554" })).toBe(Status.Denied);
    begin(["msm_stream_connect", "msm_stream_connect_address"]);
    expect(connect({ address: "192.0.2.3:554" })).toBe(Status.Ok);
    expect(world.streams[0]?.target).toEqual({
      kind: "address",
      address: { address: "192.0.2.3", port: 554 },
    });
  });

  test("are refused where the request is not understood, and the log says why", () => {
    expect(connect({ cluster: "cams", tls: true })).toBe(Status.ParseFailure);
    expect(connect({ address: "example.com:554" })).toBe(Status.ParseFailure);
    expect(connect({})).toBe(Status.ParseFailure);
    expect(call("msm_stream_connect", ...put("{"), OUT)).toBe(Status.ParseFailure);
    expect(env.logs[0]?.message).toContain("tls is not known");
  });
});

describe("routes", () => {
  const select = (request: unknown) => call("msm_select_route", ...json(request), OUT);
  const request = { host: "cam", path: "/lobby", method: "DESCRIBE", headers: { session: "1" } };

  test("are answered by properties until they are released", () => {
    world.route = () => found;
    expect(select({ ...request, source: "192.0.2.1:4000" })).toBe(Status.Ok);
    const handle = out();
    expect(world.requests).toMatchObject([{ ...request, source: "192.0.2.1:4000" }]);
    const parts = ["cluster", "endpoint", "name", "host", "path", "reason", "status"];
    expect(parts.map((part) => property(`msm.route.${handle}.${part}`))).toEqual([
      ...["cams", "192.0.2.8:554", "lobby", "cam.local", "/new", "", "200"],
    ]);
    expect(call("msm_report_result", handle, 503)).toBe(Status.Ok);
    expect(world.results).toEqual([{ choice: found, code: 503 }]);
    expect(call("msm_release_route", handle)).toBe(Status.Ok);
    expect(world.released).toEqual([found]);
    expect(property(`msm.route.${handle}.cluster`)).toBeUndefined();
    expect(call("msm_report_result", handle, 200)).toBe(Status.NotFound);
  });

  test("are chosen with the filter state that the connection has", () => {
    world.route = () => found;
    call("proxy_set_property", ...put("filter_state\0room", 2_048), ...put("lobby"));
    expect(select(request)).toBe(Status.Ok);
    expect(world.requests[0]?.state?.("room")).toBe("lobby");
    expect(world.requests[0]?.state?.("hall")).toBeUndefined();
  });

  test("that lead nowhere say why, and no stream goes there", () => {
    expect(select(request)).toBe(Status.NotFound);
    expect(property(`msm.route.${out()}.reason`)).toBe("no route");
    expect(call("msm_stream_connect", ...json({ route: 1 }), OUT)).toBe(Status.NotFound);
  });

  test("are not looked up with fields that would be ignored", () => {
    expect(select({ ...request, port: 554 })).toBe(Status.ParseFailure);
    expect(select({ host: "cam" })).toBe(Status.ParseFailure);
    expect(select({ ...request, headers: { a: 1 } })).toBe(Status.ParseFailure);
  });
});

describe("flows", () => {
  const open = (flow: unknown = { stream: "lobby" }) => call("msm_open_flow", ...json(flow), OUT);

  test("are opened, changed, replaced and closed", () => {
    expect(open({ stream: "lobby", sources: [{ id: "s", udp: { local: { ip: "192.0.2.2" } } }] })).toBe(
      Status.Ok,
    );
    const flow = out();
    expect(world.flows.get(flow)).toMatchObject({ id: String(flow), stream: "lobby" });
    const change = { receivers: [{ id: "r", enabled: true, udp: {} }], removed: ["old"] };
    expect(call("msm_change_flow", flow, ...json(change))).toBe(Status.Ok);
    expect(world.flowCalls[1]).toMatchObject({
      call: "change",
      change: { changed: { receivers: [{ id: "r" }] }, removed: ["old"] },
    });
    expect(call("msm_update_flow", flow, ...json({ stream: "hall" }))).toBe(Status.Ok);
    expect(world.flows.get(flow)?.stream).toBe("hall");
    expect(call("msm_close_flow", flow)).toBe(Status.Ok);
    expect(call("msm_close_flow", 99)).toBe(Status.NotFound);
  });

  test("are bounded for each connection", () => {
    expect([open(), open(), open()]).toEqual([Status.Ok, Status.Ok, Status.QuotaExceeded]);
  });

  test("that are no flow are refused with the reason", () => {
    expect(open({ sauces: [] })).toBe(Status.ParseFailure);
    expect(env.logs[0]?.message).toContain("sauces");
    expect(world.flows.size).toBe(0);
  });

  test("have addresses of legs as properties, also where the leg's name has dots", () => {
    open({ receivers: [{ id: "reader.7" }] });
    const flow = out();
    const legs = [
      {
        id: "reader.7",
        local: { ip: "192.0.2.2", port: 20_000 },
        remoteRtcp: { ip: "2001:db8::1", port: 9 },
      },
    ];
    const event = create(FlowEventSchema, { kind: FlowEvent_Kind.OPENED, legs, code: "C", message: "why" });
    state.noteEvent(state.flows.get(flow)!, event);
    const name = `msm.flow.${flow}`;
    expect(property(`${name}.reader.7.local`)).toBe("192.0.2.2:20000");
    expect(property(`${name}.reader.7.remote_rtcp`)).toBe("[2001:db8::1]:9");
    expect(property(`${name}.reader.7.remote`)).toBeUndefined();
    expect([property(`${name}.code`), property(`${name}.message`)]).toEqual(["C", "why"]);
  });

  test("know what was told of a leg until the filter gives it up", () => {
    open({ receivers: [{ id: "a" }, { id: "b" }] });
    const number = out();
    const flow = state.flows.get(number)!;
    const tell = (...ids: readonly string[]): void => {
      const legs = ids.map((id) => ({ id, local: { ip: "192.0.2.2", port: 20_000 } }));
      state.noteEvent(flow, create(FlowEventSchema, { kind: FlowEvent_Kind.OPENED, legs }));
    };
    const local = (id: string) => property(`msm.flow.${number}.${id}.local`);
    tell("a");
    tell("b");
    expect(["a", "b"].map(local)).toEqual(["192.0.2.2:20000", "192.0.2.2:20000"]);
    state.changeFlow(number, { changed: create(FlowSchema, { receivers: [{ id: "c" }] }), removed: ["a"] });
    tell("a", "c");
    expect(["a", "b", "c"].map(local)).toEqual([undefined, "192.0.2.2:20000", "192.0.2.2:20000"]);
    state.putFlow(number, create(FlowSchema, { id: String(number), receivers: [{ id: "c" }] }));
    expect(["b", "c"].map(local)).toEqual([undefined, "192.0.2.2:20000"]);
  });
});

const address = fc.oneof(fc.integer(), fc.constantFrom(0, 65_535, -1, 2 ** 31 - 1, 4_096));

test("no address or length that a guest can pass throws in the host", () => {
  const args = fc.tuple(address, address, address, address);
  const names = [...signallingCalls, "proxy_set_property", "proxy_get_property"];
  fc.assert(
    fc.property(fc.constantFrom(...names), args, (name, values) => {
      state.guest.budget.grantStart();
      expect(call(name, ...values)).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 2_000 },
  );
});
