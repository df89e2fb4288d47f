// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../logger.ts";
import type { Plan, SignallingPlan } from "../plan.ts";
import { statName } from "../stats/render-envoy.ts";
import { certificates, identity, serverTls, validation } from "../tls/testdata/certificates.ts";
import { SignallingPool } from "./signalling-pool.ts";
import { FakeFlows } from "./testdata/fake-flows.ts";
import { switchboard } from "./testdata/switchboard.ts";
import { TestClient, until } from "./testdata/test-client.ts";
import { signallingPlan, testOptions } from "./testdata/wat-signalling.ts";

const filter = await signallingPlan(switchboard(), { name: "board" });

let pool: SignallingPool;
let clients: TestClient[];

beforeEach(() => {
  clients = [];
  pool = new SignallingPool({ concurrency: 1, flows: new FakeFlows(), logger: silentLogger });
});

afterEach(async () => {
  for (const client of clients) client.close();
  await pool.close();
});

async function apply(changes: Partial<SignallingPlan>): Promise<void> {
  const own = { address: { address: "127.0.0.1", port: 0 }, statPrefix: "a", filter, mediaChain: [] };
  const routes = { name: "edge", hosts: [] };
  const listener = { name: "a", ...own, routes, options: testOptions, maxConnections: 100, ...changes };
  const plan: Plan = { listeners: [], clusters: [], signalling: [listener] };
  expect(await pool.apply(plan)).toEqual([]);
}

/** A client in TLS, and the subject of the certificate that it was shown. */
async function client(options = {}): Promise<{ client: TestClient; socket: TLSSocket; subject: string }> {
  const { address, port } = pool.listeners()[0]!.localAddress;
  const ca = certificates.authority.certificate;
  const socket = connect({ host: address, port, ca, servername: "cams.example.com", ...options });
  await once(socket, "secureConnect");
  const over = new TestClient(socket);
  clients.push(over);
  return { client: over, socket, subject: socket.getPeerX509Certificate()?.subject ?? "" };
}

function stat(name: string): number {
  const { port } = pool.listeners()[0]!.localAddress;
  const sample = pool.samples().find((found) => statName(found) === `listener.127.0.0.1_${port}.ssl.${name}`);
  return Number(sample?.value ?? 0);
}

test("a filter hears what came through TLS, and is counted by Envoy's names", async () => {
  await apply({ tls: serverTls() });
  const { client: first, subject } = await client();
  first.send("e hello");
  await first.expect("e hello");
  expect(subject).toBe("CN=server");
  expect(stat("handshake")).toBe(1);
  const plain = await TestClient.connect(pool.listeners()[0]!.localAddress);
  clients.push(plain);
  plain.send("e nothing of TLS");
  await plain.closed();
  await until(() => stat("connection_error") === 1, "the count");
  first.send("b");
  await first.closed();
});

test("certificates and clients' authorities change while connections live, and TLS itself comes and goes", async () => {
  await apply({ tls: serverTls() });
  const { client: first } = await client();
  first.send("e one");
  await first.expect("e one");
  await apply({ tls: serverTls({ identities: [identity("renewed")] }) });
  const { subject } = await client();
  expect(subject).toBe("CN=renewed");
  await apply({ tls: serverTls({ validation: validation(), requiresCertificate: true }) });
  const { cert, key } = { cert: certificates.client.certificate, key: certificates.client.privateKey };
  const { client: known } = await client({ cert, key });
  known.send("e known");
  await known.expect("e known");
  const { client: unknown } = await client();
  await unknown.closed();
  await until(() => stat("fail_verify_no_cert") === 1, "the count");
  await apply({});
  const plain = await TestClient.connect(pool.listeners()[0]!.localAddress);
  clients.push(plain);
  for (const open of [plain, first, known]) {
    open.send("e still");
    await open.expect("e still");
  }
});

test("a worker that is built anew has its certificates again", async () => {
  await apply({ tls: serverTls() });
  const { client: before } = await client();
  pool.fail(0, "throw");
  await before.closed();
  await until(
    () => pool.samples().some(({ name, value }) => /restarts/.test(name) && value === 1),
    "the new one",
  );
  let after: TestClient | undefined;
  while (after === undefined) after = (await client().catch(() => undefined))?.client;
  after.send("e again");
  await after.expect("e again");
});
