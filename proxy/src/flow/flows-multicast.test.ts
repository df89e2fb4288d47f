// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { FlowEvent_Kind } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { afterEach, describe, expect, test, vi } from "vitest";
import { backendNames } from "../io/load-backend.ts";
import { FlowBed, legOf, PATIENCE, readRtp, rtp } from "./testing/flow-bed.ts";

/** Source-specific groups (RFC 4607, RFC 3306) for this test alone. The loopback interface carries those of IPv4. */
const IPV4 = { group: "232.83.77.1", local: "127.0.0.1", other: "127.0.0.2", by: "lo", node: "127.0.0.1" };
/**
 * It does not carry those of IPv6. Those are tried where somebody made an interface for it, in a network namespace:
 * `ip link add msm0 type veth peer name msm1; ip addr add fd4d:534d::1/64 dev msm0 nodad; ip link set msm1 up;
 * ip link set msm0 up`.
 */
const MADE = "msm0";
const isMade = networkInterfaces()[MADE]?.some(({ address }) => address === "fd4d:534d::1") ?? false;
const IPV6 = {
  ...{ group: "ff3e::534d:1", local: "fd4d:534d::1", other: undefined },
  ...{ by: MADE, node: `::%${MADE}` },
};
const GROUPS = isMade ? [IPV4, IPV6] : [IPV4];

let bed: FlowBed | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  const last = bed;
  bed = undefined;
  await last?.stop();
});

/** A socket that sends to groups by the interface that node:dgram knows as `node`. */
async function sender(address: string, node: string): Promise<Socket> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  sockets.push(socket);
  socket.bind(0, address);
  await once(socket, "listening");
  socket.setMulticastInterface(node);
  return socket;
}

/** An even port that is free now. */
async function freePort(address: string, node: string): Promise<number> {
  for (;;) {
    const { port } = (await sender(address, node)).address();
    if (port % 2 === 0) return port;
  }
}

describe.each(await backendNames())("multicast on %s", (io) => {
  test.each(GROUPS)("from $group goes to receivers, and only from those who may", async (addresses) => {
    const { group, local, other, by, node } = addresses;
    bed = await FlowBed.start(io);
    const viewer = await bed.peer();
    const port = await freePort(local, node);
    const udp = {
      ...{ local: { ip: group, port }, rtcp: "MUX", latch: "LATCH_ONCE", interface: by },
      sourceFilter: [local],
    };
    const remote = { ip: viewer.address, port: viewer.port };
    const opened = await bed.put({
      id: "lobby",
      sources: [{ id: "in", enabled: true, udp }],
      receivers: [{ id: "a", enabled: true, udp: { remote, rtcp: "MUX" } }],
    });
    expect(opened.message).toBe("");
    const camera = await sender(local, node);
    const stranger = other === undefined ? undefined : await sender(other, node);
    stranger?.send(rtp({ seq: 1, payload: "stranger" }), port, group);
    camera.send(rtp({ seq: 1, payload: "camera" }), port, group);
    await vi.waitFor(() => expect(viewer.received).toHaveLength(1), PATIENCE);
    expect(readRtp(viewer.received[0]!.data).payload).toBe("camera");
    const [heard] = bed.events(FlowEvent_Kind.FIRST_PACKET);
    expect(heard?.legs).toMatchObject([{ id: "in", remote: { ip: local, port: camera.address().port } }]);
  });

  test.each(GROUPS)("to $group leaves by the interface that the leg names", async (addresses) => {
    const { group, local, by, node } = addresses;
    bed = await FlowBed.start(io);
    const camera = await bed.peer();
    const listener = createSocket({ type: local.includes(":") ? "udp6" : "udp4", reuseAddr: true });
    sockets.push(listener);
    listener.bind(0, group);
    await once(listener, "listening");
    listener.addMembership(group, node);
    const got: Buffer[] = [];
    listener.on("message", (data) => got.push(data));
    const { port } = listener.address();
    const udp = {
      ...{ local: { ip: local }, remote: { ip: group, port }, rtcp: "MUX", interface: by },
      ttl: 1,
    };
    const opened = await bed.put({
      id: "lobby",
      sources: [
        { id: "in", enabled: true, udp: { rtcp: "MUX", remote: { ip: camera.address, port: camera.port } } },
      ],
      receivers: [{ id: "all", enabled: true, udp }],
    });
    camera.send(rtp({ seq: 1, payload: "to all" }), legOf(opened, "in").local!.port);
    await vi.waitFor(() => expect(got.map((data) => readRtp(data).payload)).toEqual(["to all"]), PATIENCE);
  });

  test("an interface that this host has not is refused", async () => {
    bed = await FlowBed.start(io);
    const failed = await bed.put({
      id: "lobby",
      receivers: [
        { id: "all", udp: { remote: { ip: "232.83.77.1", port: 5004 }, interface: "msm-none", rtcp: "MUX" } },
      ],
    });
    expect(failed).toMatchObject({ kind: FlowEvent_Kind.FAILED, code: "MSM_FLOW_ADDRESS" });
    expect(failed.message).toContain("msm-none");
  });
});
