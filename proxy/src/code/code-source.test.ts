// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { CodeCache, digestOf } from "./code-cache.ts";
import { CodeSource } from "./code-source.ts";
import { fetchBytes } from "./fetch-bytes.ts";
import type { RemoteCode } from "./remote-code.ts";

const BYTES = Buffer.from("a module, as far as this is concerned");
const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "msm-code-test-"));
  cleanups.push(() => rm(made, { recursive: true }));
  return made;
}

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/filter.wasm`;
}

const remote = (uri: string, changes: Partial<RemoteCode> = {}): RemoteCode => ({
  uri,
  sha256: digestOf(BYTES),
  timeoutMs: 30_000,
  retries: 3,
  baseMs: 100,
  maxMs: 250,
  nackOnMiss: false,
  ...changes,
});

test("code is fetched once and then comes from the disk", async () => {
  const cache = await folder();
  let requests = 0;
  const uri = await serve((_, response) => {
    requests++;
    response.end(BYTES);
  });
  const both = await Promise.all(
    [0, 1].map(() => new CodeSource(new CodeCache(cache)).get(remote(uri), "code")),
  );
  expect(both.map((bytes) => Buffer.from(bytes))).toEqual([BYTES, BYTES]);
  const before = requests;
  expect(Buffer.from(await new CodeSource(new CodeCache(cache)).get(remote(uri), "code"))).toEqual(BYTES);
  expect(requests).toBe(before);
});

test("two that want the same code at once fetch it once", async () => {
  let requests = 0;
  const uri = await serve((_, response) => {
    requests++;
    response.end(BYTES);
  });
  const source = new CodeSource(new CodeCache(await folder()));
  await Promise.all([0, 1, 2].map(() => source.get(remote(uri), "code")));
  expect(requests).toBe(1);
});

test("a server that fails is asked again after longer and longer waits", async () => {
  let requests = 0;
  const uri = await serve((_, response) => {
    response.statusCode = ++requests < 4 ? 503 : 200;
    response.end(BYTES);
  });
  const waits: number[] = [];
  const sleep = async (ms: number): Promise<void> => void waits.push(ms);
  const source = new CodeSource(new CodeCache(await folder()), { fetch: fetchBytes, sleep });
  expect(Buffer.from(await source.get(remote(uri), "code"))).toEqual(BYTES);
  expect(waits).toEqual([100, 200, 250]);
});

test("a server that goes on failing is given up, with what it said", async () => {
  const uri = await serve((_, response) => {
    response.statusCode = 404;
    response.end();
  });
  const source = new CodeSource(new CodeCache(await folder()), { fetch: fetchBytes, sleep: async () => {} });
  await expect(source.get(remote(uri, { retries: 1 }), "typed.code")).rejects.toMatchObject({
    code: "MSM_FILTER_FETCH",
    field: "typed.code",
    message: expect.stringMatching(/answered 404; tried 2 times/),
  });
});

test("other code than was asked for is refused and not kept", async () => {
  const cache = await folder();
  const uri = await serve((_, response) => response.end("something else"));
  const source = new CodeSource(new CodeCache(cache));
  await expect(source.get(remote(uri), "code")).rejects.toMatchObject({ code: "MSM_FILTER_DIGEST_MISMATCH" });
  expect(await readdir(cache)).toEqual([]);
});

test("a configuration that does not wait is refused until its code is here", async () => {
  const uri = await serve((_, response) => response.end(BYTES));
  const source = new CodeSource(new CodeCache(await folder()));
  const eager = remote(uri, { nackOnMiss: true });
  await expect(source.get(eager, "code")).rejects.toMatchObject({ code: "MSM_FILTER_FETCHING" });
  await source.get(remote(uri), "code");
  expect(Buffer.from(await source.get(eager, "code"))).toEqual(BYTES);
});

test("a body without end is read no further than a module may reach", async () => {
  const uri = await serve((_, response) => {
    const write = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on("drain", write);
    write();
  });
  await expect(fetchBytes(uri, 30_000, 300_000)).rejects.toThrow("larger than 300000 bytes");
});

test("a server that is silent costs no longer than the time limit", async () => {
  const uri = await serve(() => {});
  await expect(fetchBytes(uri, 50, 1_000)).rejects.toThrow("did not answer within 50 ms");
});

test("a damaged file is not used and is replaced", async () => {
  const cache = await folder();
  const uri = await serve((_, response) => response.end(BYTES));
  await writeFile(join(cache, digestOf(BYTES)), "damaged");
  const source = new CodeSource(new CodeCache(cache));
  expect(Buffer.from(await source.get(remote(uri), "code"))).toEqual(BYTES);
  expect(Buffer.from((await new CodeCache(cache).read(digestOf(BYTES)))!)).toEqual(BYTES);
});

test("a cache stays below its limit and keeps what came last", async () => {
  const path = await folder();
  const cache = new CodeCache(path, 2_500);
  const files = [1, 2, 3, 4].map((fill) => Buffer.alloc(1_000, fill));
  for (const file of files) await cache.write(digestOf(file), file);
  expect(await readdir(path)).toHaveLength(2);
  expect(await cache.read(digestOf(files[3]!))).toBeDefined();
});

test("without a disk code is fetched all the same", async () => {
  const uri = await serve((_, response) => response.end(BYTES));
  const source = new CodeSource(new CodeCache("/dev/null/nowhere"));
  expect(Buffer.from(await source.get(remote(uri), "code"))).toEqual(BYTES);
});
