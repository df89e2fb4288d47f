// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ProxyAdmin, until } from "@msm/deploy";
import { rtp, writePcap } from "@msm/filter-sdk/testing";
import { filterCommand, filterWorkshop } from "../../filter-command.ts";
import { runTool } from "../../proxy-wasm/run-tool.ts";
import type { Peer } from "../../runner/peer.ts";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { readSteps } from "./readme-steps.ts";

const CHECKOUT = fileURLToPath(new URL("../../../../", import.meta.url));
const FILTER = "filters/drop-small";
const MEDIA_PORT = 5004;

/** "Within seconds": the control plane's look at its files, the proxy's trial, and a new session. */
const EFFECT_MS = 10_000;

/** The mesh that runs, from the step that starts it on. */
interface Walk {
  readonly workshop: string;
  readonly yaml: string;
  running: Peer | undefined;
  admin: ProxyAdmin | undefined;
}

/** Does each step of filters/README.md as it stands there, in a folder of its own and on `npm start` itself. */
export const walkOfReadme: Scenario = {
  title:
    'each step of "Write a filter in ten minutes" works; one edited line takes effect in a running npm start',
  timeoutMs: 180_000,
  run: async (context) => {
    const { commands, yaml } = await readSteps();
    const walk: Walk = {
      workshop: await filterWorkshop(context),
      yaml,
      running: undefined,
      admin: undefined,
    };
    await writeFile(path.join(walk.workshop, "in.pcap"), capture());
    for (const command of commands) {
      await follow(context, walk, command);
      context.note(command);
    }
    const builtAt = performance.now();
    await countedAs(walk, "tiny");
    context.note(`${Math.round(performance.now() - builtAt)} ms from the last build to the effect`);
    // npm itself dies of the signal; the demo behind it finishes and says how it went.
    const { stdout } = (await walk.running?.interrupt()) ?? { stdout: "" };
    const summary = stdout.trim().split("\n").at(-1) ?? "";
    context.note(summary);
    const { streams, lost, frameGaps } = JSON.parse(summary) as Record<string, number>;
    assert.deepEqual({ streams, lost, frameGaps }, { streams: 2, lost: 0, frameGaps: 0 });
  },
};

/** Does one step. Throws where the page has one that is not known here. */
async function follow(context: ScenarioContext, walk: Walk, command: string): Promise<void> {
  const folder = path.join(walk.workshop, "drop-small");
  const [first, second] = command.split(" ");
  if (command.startsWith("npm run msm -- filter ")) {
    await filterCommand(...argumentsOf(command, walk.workshop, folder));
  } else if (command === `npx vitest run ${FILTER}`) {
    await runTool(CHECKOUT, "npx", ["vitest", "run", folder]);
  } else if (command === "npm start -- --demo rtp") {
    await startDemo(context, walk, folder);
  } else if (first === "$EDITOR") {
    await edit(path.join(folder, path.relative(FILTER, second ?? "")));
  } else {
    throw new Error(`filters/README.md has a step that this test does not know: ${command}`);
  }
}

/** The arguments behind `filter`, with the page's paths in the workshop. */
function argumentsOf(command: string, workshop: string, folder: string): readonly string[] {
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
  const [kind, ...rest] = words.slice(words.indexOf("filter") + 1);
  if (kind === "new") return ["new", ...rest, "--into", workshop];
  const inWorkshop = (word: string): string =>
    word === FILTER ? folder : word.endsWith(".pcap") ? path.join(workshop, word) : word;
  return [kind ?? "", ...rest.map(inWorkshop)];
}

/** Starts the demo on a copy of its mesh and adds the page's resource to it while it runs. */
async function startDemo(context: ScenarioContext, walk: Walk, folder: string): Promise<void> {
  const mesh = path.join(walk.workshop, "mesh.yaml");
  const demo = await readFile(path.join(CHECKOUT, "deploy/local/mesh.yaml"), "utf8");
  await writeFile(mesh, demo);
  const args = ["start", "--", "--demo", "rtp", "--config", mesh];
  const running = context.startPeer({
    name: "npm-start",
    command: "npm",
    args,
    timeoutMs: 170_000,
    folder: CHECKOUT,
    isGroup: true,
  });
  walk.running = running;
  const said = until(
    "npm start said where its admin is",
    () => /proxy admin {2}http:\/\/([\d.]+:\d+)/.exec(running.stdout)?.[1],
    60_000,
  );
  const ended = running.ended.then(({ stdout }) => {
    throw new Error(`npm start ended: ${stdout.trim().split("\n").at(-1)}`);
  });
  const address = await Promise.race([said, ended]);
  walk.admin = new ProxyAdmin(address);
  await until("the camera's streams were seen", async () => (await walk.admin?.streams())?.length !== 0);
  const built = path.join(folder, "build/drop-small.wasm");
  const added = walk.yaml.replace(`../../${FILTER}/build/drop-small.wasm`, built);
  assert.ok(added.includes(built), `the page's YAML names the file that filter build writes`);
  await writeFile(mesh, demo + added);
  await countedAs(walk, "too_short");
}

/** The edit that the page asks for. */
async function edit(file: string): Promise<void> {
  const source = await readFile(file, "utf8");
  assert.ok(source.includes('"too_short"'), `${file} names its reason`);
  await writeFile(file, source.replace('"too_short"', '"tiny"'));
}

/** Sends short datagrams, each from a session of its own, until the proxy counts one under this reason. */
async function countedAs({ admin }: Walk, reason: string): Promise<void> {
  await until(
    `a short datagram was dropped as "${reason}"`,
    async () => {
      const socket = createSocket("udp4");
      await new Promise<void>((resolve) => socket.send("hi", MEDIA_PORT, "127.0.0.1", () => resolve()));
      socket.close();
      const metrics = (await admin?.text("/stats/prometheus")) ?? "";
      return new RegExp(`^msm_filter_dropped_total\\{[^}]*reason="[^"]*${reason}"[^}]*\\} [1-9]`, "m").test(
        metrics,
      );
    },
    EFFECT_MS,
  );
}

/** Two packets of RTP and something short between them. */
function capture(): Uint8Array {
  const payloads = [rtp({ sequenceNumber: 1 }), new Uint8Array(3), rtp({ sequenceNumber: 2 })];
  const ends = { source: "192.0.2.1:5004", destination: "192.0.2.2:5004" };
  return writePcap(
    payloads.map((payload, i) => {
      const timeNs = BigInt(i + 1) * 1_000_000_000n;
      return { ...ends, timeNs, payload, packet: Buffer.concat([headers(payload.length), payload]) };
    }),
  );
}

/** IPv4 (RFC 791) and UDP (RFC 768) without checksums, between the ends above. */
function headers(payloadBytes: number): Uint8Array {
  const bytes = Buffer.from("450000000000000040110000c0000201c0000202138c138c00000000", "hex");
  bytes.writeUInt16BE(28 + payloadBytes, 2);
  bytes.writeUInt16BE(8 + payloadBytes, 24);
  return bytes;
}
