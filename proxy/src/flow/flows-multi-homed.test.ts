// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from "vitest";
import { FlowBed, legOf, PATIENCE, type Peer, readRtp, rtp } from "./testing/flow-bed.ts";

let bed: FlowBed | undefined;
afterEach(async () => {
  const last = bed;
  bed = undefined;
  await last?.stop();
});

const SSRC = 0x1234;

/** A leg that learns its far end, at whichever address of this host that speaks to. */
function anywhere(id: string) {
  return { id, enabled: true, udp: { latch: "LATCH_ONCE", rtcp: "MUX" } };
}

/** A request for a picture: RTCP of type 206, format 1. */
function pictureRequest(): Buffer {
  const packet = Buffer.alloc(12);
  packet.writeUInt32BE(0x81ce0002, 0);
  packet.writeUInt32BE(SSRC, 8);
  return packet;
}

function heardFrom({ received }: Peer): readonly string[] {
  return received.map(({ from }) => from.address);
}

test("a leg that names no address sends from the one that its far end speaks to, media and RTCP, after its worker died as well", async () => {
  bed = await FlowBed.start("mmsg");
  const [camera, viewer, other] = [await bed.peer(), await bed.peer(), await bed.peer()];
  const opened = await bed.put({
    id: "lobby",
    sources: [anywhere("in")],
    receivers: [anywhere("a"), anywhere("b")],
  });
  const portOf = (id: string): number => legOf(opened, id).local!.port;
  const speak = (peer: Peer, id: string, address: string, data: Uint8Array): void =>
    peer.socket.send(data, portOf(id), address);
  let seq = 0;
  const film = (count: number): void => {
    for (let i = 0; i < count; i++)
      speak(camera, "in", "127.0.0.4", rtp({ seq: seq++, ssrc: SSRC, payload: "media" }));
  };
  const heard = () => bed!.pool.flowService.flows()[0]!.legs.map((leg) => leg.receivedDatagrams);
  film(1);
  await vi.waitFor(() => expect(heard()[0]).toBe(1), PATIENCE);
  speak(viewer, "a", "127.0.0.2", pictureRequest());
  speak(other, "b", "127.0.0.3", pictureRequest());
  await vi.waitFor(() => expect(heard()).toEqual([1, 1, 1]), PATIENCE);
  film(30);
  await vi.waitFor(() => expect(viewer.received).toHaveLength(30), PATIENCE);
  await vi.waitFor(() => expect(other.received).toHaveLength(30), PATIENCE);
  expect(new Set(heardFrom(viewer))).toEqual(new Set(["127.0.0.2"]));
  expect(new Set(heardFrom(other))).toEqual(new Set(["127.0.0.3"]));
  // The request went up, from where the camera sends to.
  await vi.waitFor(() => expect(heardFrom(camera)).toContain("127.0.0.4"), PATIENCE);
  expect(new Set(heardFrom(camera)).size).toBe(1);

  bed.pool.fail(0, "throw");
  await vi.waitFor(() => {
    film(1);
    expect(viewer.received.length).toBeGreaterThan(31);
  }, PATIENCE);
  expect(new Set(heardFrom(viewer))).toEqual(new Set(["127.0.0.2"]));
  expect(readRtp(viewer.received.at(-1)!.data).payload).toBe("media");
});
