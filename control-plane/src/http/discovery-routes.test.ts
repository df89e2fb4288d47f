// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, onTestFinished, test } from "vitest";
import { SnapshotCache } from "../snapshot/snapshot-cache.ts";
import { snapshotOf } from "../testing/test-snapshot.ts";
import { discoveryRoutes } from "./discovery-routes.ts";
import { startHttpServer } from "./http-server.ts";

async function serve() {
  const cache = new SnapshotCache();
  cache.set("default", snapshotOf({ cds: ["a", "b"], eds: ["a"], sds: ["key"] }));
  const routes = discoveryRoutes({ cache, groupOf: () => "default", identifier: "cp" });
  const http = await startHttpServer("127.0.0.1:0", routes);
  onTestFinished(() => http.close());
  return (path: string, body: unknown, method = "POST") => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return fetch(`http://${http.address}${path}`, { method, ...(method === "POST" ? { body: text } : {}) });
  };
}

const node = { id: "n1" };

test("100: polling gets a DiscoveryResponse in JSON, and 304 for the version that it has", async () => {
  const post = await serve();
  const response = await post("/v3/discovery:clusters", { node });
  expect(response.status).toBe(200);
  const found = (await response.json()) as { versionInfo: string; resources: { name: string }[] };
  expect(found.resources.map(({ name }) => name).sort()).toEqual(["a", "b"]);
  const again = await post("/v3/discovery:clusters", { node, version_info: found.versionInfo });
  expect(again.status).toBe(304);
  const named = await post("/v3/discovery:endpoints", { node, resource_names: ["a"], some_new_field: 1 });
  expect(await named.json()).toMatchObject({ resources: [{ clusterName: "a" }] });
});

test("100: polling says what is wrong: 400, 404, 405, 413", async () => {
  const post = await serve();
  const statusOf = async (...request: Parameters<typeof post>): Promise<number> =>
    (await post(...request)).status;
  expect(await statusOf("/v3/discovery:clusters", "{")).toBe(400);
  expect(await statusOf("/v3/discovery:clusters", {})).toBe(400);
  expect(await statusOf("/v3/discovery:clusters", { node, type_url: "other" })).toBe(400);
  expect(await statusOf("/v3/discovery:routes", { node, resource_names: ["r"] })).toBe(404);
  expect(await statusOf("/v3/discovery:nothing", { node })).toBe(404);
  expect(await statusOf("/v3/discovery:clusters", "", "GET")).toBe(405);
  expect(await statusOf("/v3/discovery:clusters", "x".repeat(1024 * 1024 + 1))).toBe(413);
  // Whoever polls is not known.
  expect(await statusOf("/v3/discovery:secrets", { node, resource_names: ["key"] })).toBe(404);
});
