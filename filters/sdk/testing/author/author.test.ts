// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FilterHarness } from "../filter-harness.ts";
import { findLanguages } from "../find-languages.mjs";
import { rtp } from "../rtp.ts";
import { checkContract } from "./contract.ts";
import { newFilter } from "./new-filter.ts";
import { type CapturedDatagram, readPcap, writePcap } from "./pcap.ts";
import { runCapture } from "./run-capture.ts";

// Below the project, where the SDK is found, and gone afterwards.
const BUILD = fileURLToPath(new URL("../../build", import.meta.url));
let parent = "";

beforeAll(async () => {
  await mkdir(BUILD, { recursive: true });
  parent = await mkdtemp(path.join(BUILD, "author-"));
});
afterAll(() => rm(parent, { recursive: true, force: true }));

/** A UDP datagram in an IPv4 packet; the last byte of each address is given. */
function datagram(from: number, to: number, payload: Uint8Array, timeNs = 0n): CapturedDatagram {
  const packet = new Uint8Array(28 + payload.length);
  const view = new DataView(packet.buffer);
  packet.set([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, from, 192, 0, 2, to]);
  view.setUint16(2, packet.length);
  view.setUint16(20, 5_000 + from);
  view.setUint16(22, 5_000 + to);
  view.setUint16(24, 8 + payload.length);
  packet.set(payload, 28);
  const address = (last: number): string => `192.0.2.${last}:${5_000 + last}`;
  return { timeNs, source: address(from), destination: address(to), payload, packet };
}

const languages = await findLanguages();

test.for([...languages.keys()])("a new filter in %s does what its template says", async (name, { skip }) => {
  const needed = await languages.get(name)!.missing();
  if (needed !== null) skip(`there is no ${needed}`);
  const folder = await newFilter(`drop-small-${name}`, parent, name);
  const filter = await FilterHarness.load(folder, { minimum: 3 });
  expect(filter.run([new Uint8Array(2), new Uint8Array(3)]).actions).toEqual([2, 0]);
  await expect(FilterHarness.load(folder, { maximum: 3 })).rejects.toThrow(/unknown field.*maximum/);
});

test("a new filter keeps the contract", async () => {
  const results = await checkContract(await newFilter("drop-small", parent));
  expect(results.filter(({ problem }) => problem !== null)).toEqual([]);
  expect(results.length).toBeGreaterThan(5);
});

test("there is no language without its template, and none that is unknown", async () => {
  await expect(newFilter("lisp-filter", parent, "lisp")).rejects.toThrow(
    `there is no language "lisp"; use ${[...languages.keys()].sort().join(", ")}`,
  );
});

test("everything of a new filter bears its name", async () => {
  const folder = await newFilter("two-words", parent);
  expect(JSON.parse(await readFile(path.join(folder, "filter.json"), "utf8"))).toMatchObject({
    name: "two-words",
  });
  expect(await readFile(path.join(folder, "assembly/index.ts"), "utf8")).toContain(
    "class TwoWords extends Filter",
  );
  expect(await readFile(path.join(folder, "two-words.bench.ts"), "utf8")).toContain(
    'benchFilter("two-words"',
  );
});

test.each(["Upper", "a/b", "..", "a_b", "-a", ""])("no filter is named %o", async (name) => {
  await expect(newFilter(name, parent)).rejects.toThrow(/no name for a filter/);
});

test("a new filter does not take the place of another, and gets its row in the table", async () => {
  const table =
    "<!-- filters: made -->\n| filter | status | what |\n|---|---|---|\n| old | row | gone |\n<!-- /filters -->\n";
  await writeFile(path.join(parent, "README.md"), `before\n${table}after\n`);
  await newFilter("once", parent);
  await expect(newFilter("once", parent)).rejects.toThrow(/exists already/);
  const readme = await readFile(path.join(parent, "README.md"), "utf8");
  expect(readme).toContain("| [once](once/README.md) | wip | Drops datagrams");
  expect(readme).not.toContain("old");
});

test("the contract finds what is wrong with a filter", async () => {
  const folder = path.join(parent, "bad");
  await mkdir(path.join(folder, "assembly"), { recursive: true });
  await writeFile(
    path.join(folder, "assembly/index.ts"),
    `import { Batch, Filter, LogLevel, log, register } from "@msm/filter-sdk/assembly";
     export * from "@msm/filter-sdk/assembly/abi";
     class Bad extends Filter {
       onDatagrams(batch: Batch): void {
         log(LogLevel.Info, "seen " + batch.count.toString());
         if (batch.at(0).len == 0) unreachable();
       }
     }
     register(new Bad());`,
  );
  const problems = (await checkContract(folder)).filter(({ problem }) => problem !== null);
  const text = problems.map(({ title, problem }) => `${title}: ${problem}`).join("\n");
  expect(text).toMatch(/every size from 0 .*broke it/);
  expect(text).toMatch(/leave no memory behind: its memory grew by \d+ bytes/);
  expect(text).toMatch(/logs little: .*it logged \d+ lines/);
});

test("a capture goes through a filter, which says what it did to each datagram", async () => {
  const folder = await newFilter("captured", parent);
  const filter = await FilterHarness.load(folder, { minimum: 3 });
  const { steps, out } = runCapture(filter, [
    datagram(1, 2, new Uint8Array(3)),
    datagram(2, 1, new Uint8Array(2)),
    datagram(3, 2, rtp({ payload: 5 })),
  ]);
  expect(steps.map(({ what }) => what)).toEqual(["passed", "dropped (reason 1)", "passed"]);
  expect(out.map(({ source }) => source)).toEqual(["192.0.2.1:5001", "192.0.2.3:5003"]);
});

test("a capture that is written reads back the same", () => {
  const payload = fc.uint8Array({ maxLength: 200 });
  const one = fc.tuple(fc.integer({ min: 1, max: 250 }), payload, fc.bigInt({ min: 0n, max: 2n ** 60n }));
  fc.assert(
    fc.property(fc.array(one, { maxLength: 10 }), (datagrams) => {
      const capture = datagrams.map(([from, bytes, timeNs]) => datagram(from, 251, bytes, timeNs));
      const read = readPcap(writePcap(capture));
      expect(read.map(({ payload: bytes, source, timeNs }) => ({ bytes, source, timeNs }))).toEqual(
        capture.map(({ payload: bytes, source, timeNs }) => ({ bytes, source, timeNs })),
      );
    }),
  );
});

test("whatever a file holds, it is read or refused with a reason", () => {
  const header = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
  fc.assert(
    fc.property(
      fc.constantFrom(0, 1, 101, 113, 276, 12, 99),
      fc.uint8Array({ maxLength: 200 }),
      (link, tail) => {
        try {
          readPcap(Uint8Array.from([...header, link, 0, 0, 0, ...tail]));
          readPcap(tail);
        } catch (error) {
          expect((error as Error).message).toMatch(/pcap|link type/);
        }
      },
    ),
  );
});

test("the test of a new filter passes", async () => {
  const folder = await newFilter("own-test", parent);
  const root = fileURLToPath(new URL("../../../..", import.meta.url));
  const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
  const { stdout, stderr } = spawnSync(process.execPath, [vitest, "run", folder, "--root", root], {
    encoding: "utf8",
    timeout: 60_000,
    env: { ...process.env, NO_COLOR: "1", VITEST: undefined },
  });
  expect(`${stdout}${stderr}`).toMatch(/Tests {2}2 passed/);
}, 60_000);

test("the command says what is wrong and what to do, and ends with status 1", () => {
  const main = fileURLToPath(new URL("../../dist/author/main.js", import.meta.url));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [main, ...args], { encoding: "utf8", timeout: 30_000 });
  expect(run("new", "Bad Name")).toMatchObject({ status: 1, stderr: expect.stringContaining("lower-case") });
  expect(run("run", parent)).toMatchObject({ status: 1, stderr: expect.stringContaining("--pcap") });
  expect(run("paint", parent)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("new, build, test, run and bench"),
  });
});

test("the command makes a filter, tests it and runs a capture through it", async () => {
  const main = fileURLToPath(new URL("../../dist/author/main.js", import.meta.url));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [main, ...args], { encoding: "utf8", timeout: 60_000 });
  const work = await mkdtemp(path.join(tmpdir(), "msm-capture-"));
  const [input, output] = [path.join(work, "in.pcap"), path.join(work, "out.pcap")];
  await writeFile(input, writePcap([datagram(1, 2, new Uint8Array(2)), datagram(1, 2, new Uint8Array(20))]));
  expect(run("new", "by-command", "--into", parent)).toMatchObject({ status: 0, stderr: "" });
  const folder = path.join(parent, "by-command");
  expect(run("test", folder).stdout).not.toContain("FAILED");
  expect(run("bench", folder).stdout).toMatch(/as plugin, batch of 64, \d+ bytes: [\d.]+ ns per datagram/);
  const { stdout } = run("run", folder, "--pcap", input, "--out", output, "--config", '{"minimum":3}');
  expect(stdout).toContain("192.0.2.1:5001 -> 192.0.2.2:5002 2 bytes: dropped (reason 1)");
  expect(stdout).toContain("2 datagrams in, 1 out");
  expect(readPcap(await readFile(output))).toHaveLength(1);
  await rm(work, { recursive: true });
});
