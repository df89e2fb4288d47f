// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { VITALS, Vital } from "./protocol.ts";
import { SinkFiles } from "./sink-files.ts";
import { type SinkRecord, WorkerSinks } from "./worker-sinks.ts";

let folder: string;
let errors: object[];
const logger = { debug() {}, info() {}, warn() {}, error: (fields: object) => void errors.push(fields) };

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "msm-sink-"));
  errors = [];
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const encode = (text: string) => new TextEncoder().encode(text);
const record = (text: string, header = "head:", listener = "edge"): SinkRecord => ({
  listener,
  name: "log.txt",
  header: encode(header),
  bytes: encode(text),
});
const contents = async (): Promise<Record<string, string>> => {
  const files = (await readdir(folder)).sort();
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), "utf8")));
  return Object.fromEntries(files.map((file, i) => [file, texts[i]!]));
};

test("records follow each other behind the header, in files for this user alone", async () => {
  const files = new SinkFiles(path.join(folder, "new"), logger);
  for (const text of ["a", "b", "c"]) void files.write(2, record(text));
  await files.close();
  const file = path.join(folder, "new", "edge.2.000001.log.txt");
  expect(await readFile(file, "utf8")).toBe("head:abc");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test("full files are followed by others, and the oldest go, also those of an earlier process", async () => {
  const limits = { fileBytes: 10, files: 3 };
  for (const texts of [
    ["1234", "5", "6789", "abcd"],
    ["efgh", "ijkl"],
  ]) {
    const files = new SinkFiles(folder, logger, limits);
    for (const text of texts) void files.write(0, record(text));
    await files.close();
  }
  expect(await contents()).toEqual({
    "edge.0.000003.log.txt": "head:abcd",
    "edge.0.000004.log.txt": "head:efgh",
    "edge.0.000005.log.txt": "head:ijkl",
  });
});

test("a file has one header: another one begins another file", async () => {
  const files = new SinkFiles(folder, logger);
  void files.write(0, record("a"));
  void files.write(0, record("b", "other:"));
  await files.close();
  expect(Object.values(await contents())).toEqual(["head:a", "other:b"]);
});

test("a listener's name cannot lead out of the folder", async () => {
  const files = new SinkFiles(folder, logger);
  await files.write(0, record("a", "", "../../etc/passwd"));
  await files.close();
  expect(await contents()).toEqual({ "______etc_passwd.0.000001.log.txt": "a" });
});

test("what the disk refuses is logged once, and writing goes on when it can", async () => {
  const place = path.join(folder, "place");
  await writeFile(place, "a file, where a folder is meant");
  const files = new SinkFiles(place, logger);
  await files.write(0, record("a"));
  await files.write(0, record("b"));
  expect(errors).toMatchObject([{ sink: "edge.0", folder: place }]);
  await rm(place);
  await files.write(0, record("c"));
  await files.close();
  expect(await readFile(path.join(place, "edge.0.000001.log.txt"), "utf8")).toBe("head:c");
});

test("there are no more than 64 sinks", async () => {
  const files = new SinkFiles(folder, logger);
  for (let i = 0; i < 70; i++) void files.write(0, record("x", "", `listener-${i}`));
  await files.close();
  expect(await readdir(folder)).toHaveLength(64);
});

test("a worker hands over no more than 4 MiB that are not written", () => {
  const vitals = new Float64Array(VITALS);
  const posted: SinkRecord[] = [];
  const sink = new WorkerSinks(vitals, (one) => posted.push(one)).open("edge", "log.txt", encode("head:"));
  const bytes = new Uint8Array(65_536);
  const taken = Array.from({ length: 100 }, () => sink.write(bytes)).filter((isTaken) => isTaken);
  expect(taken).toHaveLength(64);
  vitals[Vital.sinkBytes]! += bytes.length;
  expect([sink.write(bytes), sink.write(bytes)]).toEqual([true, false]);
  expect(posted).toHaveLength(65);
});
