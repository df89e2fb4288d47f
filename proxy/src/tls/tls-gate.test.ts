// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../signalling/testdata/test-client.ts";
import { sslMetrics } from "./ssl-metrics.ts";
import { certificates, identity, serverTls, uri, validation } from "./testdata/certificates.ts";
import { TlsGate } from "./tls-gate.ts";
import type { ServerTlsPlan } from "./tls-plan.ts";

const PLAYER = "spiffe://mesh/ns/video/sa/player";

let server: Server;
let gate: TlsGate;
let admitted: Socket[];
let refused: string[];
let counts: Map<string, number>;
let clients: Socket[];

beforeEach(async () => {
  [admitted, refused, clients] = [[], [], []];
  counts = new Map();
  server = createServer({ allowHalfOpen: true }, (socket) => gate.accept(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  use(serverTls());
});

afterEach(() => {
  for (const socket of [...clients, ...admitted]) socket.destroy();
  gate.close();
  server.close();
});

/** Lets new connections in by this plan. */
function use(plan: ServerTlsPlan): void {
  const environment = {
    listener: "rtsps",
    defineMetric: (_kind: unknown, name: string) => ({
      add: (by: number) => void counts.set(name, (counts.get(name) ?? 0) + by),
      ...{ set() {}, observe() {}, get: () => 0 },
    }),
  };
  const metrics = sslMetrics(environment, { address: "127.0.0.1", port: 322 });
  gate = new TlsGate(plan, metrics, {
    onSecure(socket) {
      socket.on("error", () => {});
      admitted.push(socket);
    },
    onRefused: (_remote, reason) => void refused.push(reason),
  });
}

function client(options: ConnectionOptions = {}): TLSSocket {
  const { port } = server.address() as { port: number };
  const ca = certificates.authority.certificate;
  const socket = connect({ port, host: "127.0.0.1", ca, servername: "cams.example.com", ...options });
  socket.on("error", () => {});
  clients.push(socket);
  return socket;
}

/** Waits for the end of a connection, be it by an error. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once("close", () => resolve());
  });

/** What the statistic `listener.<address>.ssl.<name>` says. */
const count = (name: string): number => counts.get(`listener.ssl.${name}`) ?? 0;

const certified = (name: "client" | "strangeClient") => ({
  cert: certificates[name].certificate,
  key: certificates[name].privateKey,
});

const mutual = (requiresCertificate = true): ServerTlsPlan =>
  serverTls({ validation: validation(uri(PLAYER)), requiresCertificate });

describe("a client", () => {
  test("is let in after its handshake, which is counted with version and cipher", async () => {
    const socket = client();
    await until(() => admitted.length === 1, "the client");
    admitted[0]?.write("hello");
    const [bytes] = (await once(socket, "data")) as [Buffer];
    expect(bytes.toString()).toBe("hello");
    expect(socket.authorized).toBe(true);
    expect(gate.waiting).toBe(0);
    expect([count("handshake"), count("versions.TLSv1.3"), count("no_certificate")]).toEqual([1, 1, 1]);
    expect([...counts.keys()].some((name) => name.startsWith("listener.ssl.ciphers.TLS_"))).toBe(true);
  });

  test("that speaks no TLS, or leaves in mid-handshake, is counted and ends", async () => {
    const { port } = server.address() as { port: number };
    const plain = connectTcp(port, "127.0.0.1");
    plain.on("error", () => {});
    clients.push(plain);
    plain.write("OPTIONS * RTSP/1.0\r\n\r\n");
    await closed(plain);
    const silent = connectTcp(port, "127.0.0.1");
    silent.on("error", () => {});
    await until(() => gate.waiting === 1, "the silent client");
    silent.resetAndDestroy();
    await until(() => count("connection_error") === 2 && gate.waiting === 0, "both");
    expect(refused).toHaveLength(2);
    expect(admitted).toEqual([]);
  });

  test("is cut off by a reset as a plain connection is", async () => {
    const socket = client();
    await until(() => admitted.length === 1, "the client");
    const failed = closed(socket);
    admitted[0]?.resetAndDestroy();
    await failed;
    await until(() => admitted[0]?.destroyed === true, "our side");
  });
});

describe("where clients must have certificates", () => {
  test("one of the authority with a name that is taken is let in, also when it resumes a session", async () => {
    use(mutual());
    const first = client(certified("client"));
    const [session] = (await once(first, "session")) as [Buffer];
    await until(() => admitted.length === 1, "the client");
    client({ ...certified("client"), session });
    await until(() => admitted.length === 2, "the client again");
    expect(refused).toEqual([]);
    expect([count("handshake"), count("session_reused"), count("no_certificate")]).toEqual([2, 1, 0]);
  });

  test.each([
    [
      "without any",
      {},
      serverTls({ validation: validation(), requiresCertificate: true }),
      "fail_verify_no_cert",
    ],
    ["of a stranger", certified("strangeClient"), mutual(), "fail_verify_error"],
    [
      "with another name",
      certified("client"),
      serverTls({
        validation: validation(uri("spiffe://mesh/ns/other/", "prefix")),
        requiresCertificate: true,
      }),
      "fail_verify_san",
    ],
  ] as const)("one %s is refused and counted", async (_what, options, plan, statistic) => {
    use(plan);
    const socket = client(options);
    await closed(socket);
    await until(() => count(statistic) === 1, statistic);
    expect(refused[0]).toContain(statistic);
    expect(admitted).toEqual([]);
    expect(count("handshake")).toBe(0);
  });

  test("a session that one gate let in does not open another one, which takes others", async () => {
    use(mutual());
    const first = client(certified("client"));
    const [session] = (await once(first, "session")) as [Buffer];
    const strangers = { ...validation(), authorities: certificates.stranger.certificate };
    use(serverTls({ validation: strangers, requiresCertificate: true }));
    await closed(client({ ...certified("client"), session }));
    await until(() => count("fail_verify_error") === 1, "the refusal");
  });

  test("one without is let in where it may be, and a wrong one is not", async () => {
    use(mutual(false));
    client();
    await until(() => admitted.length === 1, "the client without");
    await closed(client(certified("strangeClient")));
    expect([count("no_certificate"), count("fail_verify_error")]).toEqual([1, 1]);
  });
});

test("certificates are exchanged: who is in stays, who comes gets the new one, of the kind of key it can use", async () => {
  const before = client();
  await until(() => admitted.length === 1, "the first client");
  use(serverTls({ identities: [identity("renewed"), identity("rsaServer")] }));
  const after = client();
  const rsa = client({ ciphers: "ECDHE-RSA-AES128-GCM-SHA256", maxVersion: "TLSv1.2" });
  await until(() => admitted.length === 3, "the others");
  const serials = [before, after, rsa].map((socket) => socket.getPeerX509Certificate()?.subject);
  expect(serials).toEqual(["CN=server", "CN=renewed", "CN=rsaServer"]);
  admitted[0]?.write("still here");
  const [bytes] = (await once(before, "data")) as [Buffer];
  expect(bytes.toString()).toBe("still here");
});

test("versions and ALPN are those of the plan", async () => {
  const { parameters } = serverTls();
  use(serverTls({ parameters: { ...parameters, minVersion: "TLSv1.3", alpnProtocols: ["rtsp/1.0"] } }));
  await closed(client({ maxVersion: "TLSv1.2" }));
  const socket = client({ ALPNProtocols: ["x", "rtsp/1.0"] });
  await once(socket, "secureConnect");
  expect(socket.alpnProtocol).toBe("rtsp/1.0");
  expect(count("connection_error")).toBe(1);
});
