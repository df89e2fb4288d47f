// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ChannelCredentials, credentials, status } from "@grpc/grpc-js";
import { create, typeUrls } from "@msm/xds-protos";
import { NodeSchema } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import { expect, onTestFinished, test } from "vitest";
import { SnapshotCache } from "../snapshot/snapshot-cache.ts";
import { type Certified, testAuthority } from "../testing/certificates.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { SotwClient } from "../testing/sotw-client.ts";
import { temporaryFolder } from "../testing/temporary-folder.ts";
import { snapshotOf } from "../testing/test-snapshot.ts";
import { waitUntil } from "../testing/wait-until.ts";
import { checkIdentity, namespaceOf } from "./check-identity.ts";
import { createXdsServer } from "./create-xds-server.ts";
import { isLoopback, peerKey, peerOf } from "./peer.ts";

const authority = testAuthority();
const SERVER = ["DNS:localhost", "IP:127.0.0.1"];
const PROXY = "URI:spiffe://mesh.example/ns/media/sa/proxy";

async function serve(isMutual: boolean) {
  const folder = temporaryFolder(onTestFinished);
  const files = { certificate: join(folder, "tls.crt"), privateKey: join(folder, "tls.key") };
  const ca = join(folder, "ca.crt");
  const write = (certified: Certified): void => {
    writeFileSync(files.certificate, certified.certificate);
    writeFileSync(files.privateKey, certified.privateKey);
  };
  write(authority.issue(...SERVER));
  writeFileSync(ca, authority.certificate);
  const cache = new SnapshotCache();
  cache.set("default", snapshotOf({ cds: ["a"] }));
  const clock = new FakeClock();
  const tls = { ...files, ...(isMutual ? { clientAuthorities: ca } : {}) };
  const errors: object[] = [];
  const logger = { debug() {}, info() {}, warn() {}, error: (fields: object) => void errors.push(fields) };
  const options = { cache, clock, logger, listeners: [{ address: "127.0.0.1:0", tls }] };
  const server = await createXdsServer(options);
  onTestFinished(() => server.close());
  const connect = (channel: ChannelCredentials, node: object = { id: "n1" }): SotwClient => {
    const client = new SotwClient(server.addresses[0]!, { credentials: channel });
    onTestFinished(() => client.close());
    client.send({ typeUrl: typeUrls.cluster, node });
    return client;
  };
  return { connect, write, clock, errors, folder };
}

function showing(certified?: Certified, trusted = authority): ChannelCredentials {
  const root = Buffer.from(trusted.certificate);
  if (certified === undefined) return credentials.createSsl(root);
  const { privateKey, certificate } = certified;
  return credentials.createSsl(root, Buffer.from(privateKey), Buffer.from(certificate));
}

test("13: a proxy is served whose certificate has its namespace, and refused when it has another", async () => {
  const { connect } = await serve(true);
  const channel = showing(authority.issue(PROXY));
  const honest = connect(channel, { id: "n1", metadata: { NAMESPACE: "media" } });
  await waitUntil(() => honest.newest?.resources.length === 1);
  const liar = connect(channel, { id: "n2", metadata: { NAMESPACE: "bank" } });
  const { code, details } = await waitUntil(() => liar.endedWith);
  expect(code).toBe(status.PERMISSION_DENIED);
  expect(details).toContain(
    "says namespace bank, its certificate is spiffe://mesh.example/ns/media/sa/proxy",
  );
});

test("13: without a certificate of our authority, or without a SPIFFE ID in it, nobody is served", async () => {
  const { connect } = await serve(true);
  const withoutOne = connect(showing());
  await waitUntil(() => withoutOne.endedWith?.code === status.UNAVAILABLE);
  const stranger = connect(showing(testAuthority("stranger").issue(PROXY)));
  await waitUntil(() => stranger.endedWith?.code === status.UNAVAILABLE);
  const nameless = connect(showing(authority.issue("DNS:proxy")));
  await waitUntil(() => nameless.endedWith?.code === status.UNAUTHENTICATED);
});

test("serves TLS without client certificates where no authorities are given", async () => {
  const { connect } = await serve(false);
  const client = connect(showing());
  await waitUntil(() => client.newest?.resources.length === 1);
});

test("takes a new certificate when its files change, and keeps the last good one when they are bad", async () => {
  const { connect, write, clock, errors, folder } = await serve(false);
  const next = testAuthority("next");
  writeFileSync(join(folder, "tls.crt"), "half a certif");
  clock.advance(2000);
  expect(errors).toHaveLength(1);
  clock.advance(2000);
  expect(errors).toHaveLength(1);
  const old = connect(showing());
  await waitUntil(() => old.responses.length === 1);
  write(next.issue(...SERVER));
  clock.advance(2000);
  const fresh = connect(showing(undefined, next));
  await waitUntil(() => fresh.responses.length === 1);
  expect(old.endedWith).toBeUndefined();
});

test("says which TLS file cannot be read at the start", async () => {
  const tls = { certificate: "/nowhere/tls.crt", privateKey: "/nowhere/tls.key" };
  const listeners = [{ address: "127.0.0.1:0", tls }];
  await expect(createXdsServer({ cache: new SnapshotCache(), listeners })).rejects.toThrow(
    "/nowhere/tls.crt",
  );
});

test("reads a namespace from metadata first, then from an Istio-style id", () => {
  const node = (fields: object) => create(NodeSchema, fields);
  const id = "sidecar~10.0.0.1~pod.shop~shop.svc.cluster.local";
  expect(namespaceOf(node({ id }))).toBe("shop");
  expect(namespaceOf(node({ id, metadata: { NAMESPACE: "media" } }))).toBe("media");
  expect(namespaceOf(node({ id: "edge-1" }))).toBeUndefined();
});

test("an identity is the only URI name of a certificate; a name inside another is none", () => {
  const peer = (subjectaltname: string) =>
    peerOf("10.0.0.1:5", { raw: Buffer.alloc(1), subjectaltname } as Parameters<typeof peerOf>[1]);
  expect(peer("DNS:a, URI:spiffe://m/ns/a/sa/b").spiffeId).toBe("spiffe://m/ns/a/sa/b");
  expect(peer("URI:spiffe://m/a, URI:spiffe://m/b").spiffeId).toBeUndefined();
  expect(peer("URI:https://m/a").spiffeId).toBeUndefined();
  expect(peer('DNS:"a, URI:spiffe://m/a"').spiffeId).toBeUndefined();
  expect(checkIdentity(peerOf("10.0.0.1:5", undefined), create(NodeSchema, { id: "n" }))).toBeUndefined();
});

test("a peer is counted by its identity, else by its address, and is known to be on this machine or not", () => {
  const peer = (address: string) => ({ address, isAuthenticated: false });
  expect(peerKey(peer("10.0.0.1:4000"))).toBe("10.0.0.1");
  expect(peerKey({ ...peer("10.0.0.1:4000"), spiffeId: "spiffe://m/a" })).toBe("spiffe://m/a");
  expect(["127.0.0.1:1", "::1:1", "[::1]:1"].map((address) => isLoopback(peer(address)))).toEqual([
    true,
    true,
    true,
  ]);
  expect(["10.0.0.1:1", "127.0.0.1.evil:1"].map((address) => isLoopback(peer(address)))).toEqual([
    false,
    false,
  ]);
});
