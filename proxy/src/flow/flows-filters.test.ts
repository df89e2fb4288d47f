// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from "vitest";
import { backendNames } from "../io/load-backend.ts";
import { scriptPlan } from "../wasm/testdata/script-filter.ts";
import { FlowBed, legOf, PATIENCE, type Peer } from "./testing/flow-bed.ts";

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
    for (const text of ["drop", "answer", "wait", "plain", "many"])
      camera.send(Buffer.from(text), legOf(opened, "in").local!.port);

    const added = Array.from({ length: 100 }, (_, i) => `copy ${i}`);
    await vi.waitFor(() => {
      for (const peer of [one, two])
        expect([...texts(peer)].sort()).toEqual(["plain", "many", "wait", ...added].sort());
    }, PATIENCE);
    expect(texts(camera)).toEqual(["answer"]);
    expect(texts(one).filter((text) => text.startsWith("copy"))).toEqual(added);
  },
);
