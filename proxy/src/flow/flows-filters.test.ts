// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from "vitest";
import { backendNames } from "../io/load-backend.ts";
import { scriptPlan } from "../wasm/testdata/script-filter.ts";
import { FlowBed, legOf, PATIENCE, type Peer, rtp } from "./testing/flow-bed.ts";

let bed: FlowBed | undefined;
afterEach(async () => {
  const last = bed;
  bed = undefined;
  await last?.stop();
});

/** Does with a datagram what its text says. */
const OBEDIENT = `
  export const wants = { emitCapacity: 128 };
  const bytes = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  export function onDatagrams(batch) {
    for (const datagram of batch) {
      const text = String.fromCharCode(...datagram.data);
      if (text === "drop") datagram.drop();
      else if (text === "answer") datagram.reply();
      else if (text === "hold") datagram.pause();
      else if (text === "go") {
        msm.setContext(datagram.session);
        msm.continueStream(2);
      }
      else if (text === "wait") datagram.sendAt(batch.nowMs + 50);
      else if (text === "many") {
        for (let i = 0; i < 100; i++) batch.add(datagram.session, false, bytes("copy " + i));
      }
    }
  }`;

function leg(id: string, { port }: Peer) {
  const udp = { local: { ip: "127.0.0.1" }, remote: { ip: "127.0.0.1", port }, rtcp: "NONE" };
  return { id, enabled: true, udp };
}

function texts({ received }: Peer): readonly string[] {
  return received.map(({ data }) => data.toString("latin1"));
}

test.each(await backendNames())(
  "what a flow's filter drops is gone, and what it adds, answers or holds leaves: on %s",
  async (io) => {
    bed = await FlowBed.start(io, { loadFilter: () => scriptPlan(OBEDIENT) });
    const [camera, one, two] = [await bed.peer(), await bed.peer(), await bed.peer()];
    const opened = await bed.put({
      id: "lobby",
      sources: [leg("in", camera)],
      receivers: [leg("a", one), leg("b", two)],
    });
    for (const text of ["hold", "drop", "answer", "wait", "plain", "many", "go"])
      camera.send(Buffer.from(text), legOf(opened, "in").local!.port);

    const added = Array.from({ length: 100 }, (_, i) => `copy ${i}`);
    await vi.waitFor(() => {
      for (const peer of [one, two])
        expect([...texts(peer)].sort()).toEqual(["hold", "go", "plain", "many", "wait", ...added].sort());
    }, PATIENCE);
    expect(texts(camera)).toEqual(["answer"]);
    expect(texts(one).filter((text) => text.startsWith("copy"))).toEqual(added);
  },
);

test("reports to the source pass the filters, which may change them", async () => {
  const script = `
    export function onDatagrams(batch) {
      for (const datagram of batch) if (datagram.toClient) datagram.setU32(4, 0x01020304);
    }`;
  bed = await FlowBed.start("mmsg", { loadFilter: () => scriptPlan(script) });
  const camera = await bed.peer();
  const udp = { local: { ip: "127.0.0.1" }, remote: { ip: "127.0.0.1", port: camera.port }, rtcp: "MUX" };
  const opened = await bed.put({ id: "lobby", sources: [{ id: "in", enabled: true, udp }] });
  for (let seq = 0; seq < 20; seq++) camera.send(rtp({ seq }), legOf(opened, "in").local!.port);
  await vi.waitFor(() => expect(camera.received).toHaveLength(1), PATIENCE);
  const report = camera.received[0]!.data;
  // A receiver report (RFC 3550 section 6.4.2) with the sender that the filter wrote.
  expect([report[1], report.readUInt32BE(4)]).toEqual([201, 0x01020304]);
});
