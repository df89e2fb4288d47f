// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { loadHealthCheckers } from "./load-health-checkers.ts";

const closers: (() => unknown)[] = [];
const checkers = await loadHealthCheckers();

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A UDP server that answers as told; nothing where it says undefined. */
async function udpServer(answer: (request: Buffer) => string | Buffer | undefined): Promise<number> {
  const socket = createSocket("udp4");
  closers.push(() => socket.close());
  socket.on("message", (request, from) => {
    const reply = answer(request);
    if (reply !== undefined) socket.send(reply, from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket.address().port;
}

/** A TCP server that answers each piece that comes. */
async function tcpServer(answer: (request: Buffer) => string): Promise<number> {
  const server = createServer((connection) => {
    connection.on("error", () => {});
    connection.on("data", (request) => connection.write(answer(request)));
  });
  closers.push(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function httpServer(status: number): Promise<number> {
  const server = createHttpServer((_, response) => response.writeHead(status).end());
  closers.push(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A port at which nobody listens, of either protocol. */
async function deadPort(): Promise<number> {
  const port = await tcpServer(() => "");
  for (const close of closers.splice(-1)) await close();
  return port;
}

/** What a checker says: "well", or why not. */
async function ask(name: string, port: number, options: object = {}, timeoutMs = 2000): Promise<string> {
  const checker = checkers.get(name)!;
  const target = { address: "127.0.0.1", port, hostname: "" };
  const read = checker.readOptions(options as Record<string, unknown>);
  try {
    await checker.check(target, read, AbortSignal.timeout(timeoutMs));
    return "well";
  } catch (error) {
    return (error as Error).message;
  }
}

const hex = (text: string) => ({ text: Buffer.from(text).toString("hex") });

test("there is a checker for each folder", () => {
  expect([...checkers.keys()]).toEqual(["http", "rtcp", "rtsp-options", "sip-options", "stun", "tcp", "udp"]);
});

describe("tcp", () => {
  test("is content with a connection, and finds out when there is none", async () => {
    expect(await ask("tcp", await tcpServer(() => ""))).toBe("well");
    expect(await ask("tcp", await deadPort())).toContain("ECONNREFUSED");
  });

  test("wants the expected blocks in their order", async () => {
    const port = await tcpServer((request) => `+${request.toString().toUpperCase()} later`);
    const options = (...receive: readonly string[]) => ({ send: hex("ping"), receive: receive.map(hex) });
    expect(await ask("tcp", port, options("PING", "later"))).toBe("well");
    expect(await ask("tcp", port, options("later", "PING"), 50)).toContain("timeout");
  });
});

describe("udp", () => {
  test("wants an answer, and the expected one where one is expected", async () => {
    const port = await udpServer((request) => `echo ${request.toString()}`);
    expect(await ask("udp", port, { send: hex("a") })).toBe("well");
    expect(await ask("udp", port, { send: hex("a"), receive: [hex("echo a")] })).toBe("well");
    expect(await ask("udp", port, { send: hex("a"), receive: [hex("echo b")] }, 50)).toContain("timeout");
  });

  test("finds out by ICMP at once that nobody listens, and by time that nobody answers", async () => {
    expect(await ask("udp", await deadPort(), { send: hex("a") })).toContain("ECONNREFUSED");
    expect(await ask("udp", await udpServer(() => undefined), {}, 50)).toContain("timeout");
  });
});

describe("stun", () => {
  const answer = (type: number) => (request: Buffer) => {
    const reply = Buffer.from(request);
    reply.writeUInt16BE(type, 0);
    return reply;
  };

  test("wants a binding success of its own transaction", async () => {
    expect(await ask("stun", await udpServer(answer(0x0101)))).toBe("well");
    expect(await ask("stun", await udpServer(answer(0x0111)))).toContain("error");
    const foreign = await udpServer((request) => {
      const reply = answer(0x0101)(request);
      reply[19]! ^= 1;
      return reply;
    });
    expect(await ask("stun", foreign, {}, 50)).toContain("timeout");
    expect(await ask("stun", await udpServer(() => "short"), {}, 50)).toContain("timeout");
  });
});

describe("rtcp", () => {
  const report = Buffer.from("80c9000100000001", "hex");
  const packet = (hexadecimal: string) => Buffer.from(hexadecimal, "hex");

  test("reports as a receiver that heard nothing, with its name", async () => {
    let asked: Buffer = Buffer.alloc(0);
    const port = await udpServer((request) => {
      asked = request;
      return report;
    });
    expect(await ask("rtcp", port)).toBe("well");
    const text = asked.toString("hex");
    const ssrc = text.slice(8, 16);
    expect(text).toBe(`80c90001${ssrc}81ca0003${ssrc}01036d736d000000`);
  });

  test.each([
    ["a sender report", `80c80006${"00".repeat(24)}`, "well"],
    ["RTP", `80600001${"00".repeat(8)}`, "well"],
    ["RTP that is cut", `80600001${"00".repeat(4)}`, "timeout"],
    ["RTCP that is cut", `80c80006${"00".repeat(4)}`, "timeout"],
    ["another version", `40c90001${"00".repeat(4)}`, "timeout"],
    ["nothing", "", "timeout"],
  ])("is answered by %s", async (_, answer, expected) => {
    expect(
      await ask("rtcp", await udpServer(() => packet(answer)), {}, expected === "well" ? 5000 : 50),
    ).toContain(expected);
  });
});

describe("rtsp-options", () => {
  test.each([
    ["RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: DESCRIBE\r\n\r\n", "well"],
    ["RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n", "well"],
    ["RTSP/1.0 503 Service Unavailable\r\nCSeq: 1\r\n\r\n", "answered RTSP/1.0 503 Service Unavailable"],
    ["HTTP/1.1 200 OK\r\n\r\n", 'answered "HTTP/1.1 200 OK", which is not RTSP/1.0'],
  ])("takes %j for %j", async (reply, expected) => {
    const port = await tcpServer((request) =>
      request.toString().startsWith("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n") ? reply : "",
    );
    expect(await ask("rtsp-options", port)).toBe(expected);
  });
});

describe("sip-options", () => {
  const reply = (status: string) => (request: Buffer) => {
    const headers = request
      .toString()
      .split("\r\n")
      .slice(1)
      .filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
    return [`SIP/2.0 ${status}`, ...headers, "Content-Length: 0", "", ""].join("\r\n");
  };

  test.each([
    ["200 OK", "well"],
    ["404 Not Found", "well"],
    ["503 Service Unavailable", "answered SIP/2.0 503 Service Unavailable"],
  ])("takes %j for %j", async (status, expected) => {
    expect(await ask("sip-options", await udpServer(reply(status)))).toBe(expected);
  });

  test("is not content with a provisional answer, nor with one to somebody else", async () => {
    expect(await ask("sip-options", await udpServer(reply("100 Trying")), {}, 50)).toContain("timeout");
    const foreign = await udpServer(() => "SIP/2.0 200 OK\r\nCall-ID: other\r\n\r\n");
    expect(await ask("sip-options", foreign, {}, 50)).toContain("timeout");
  });
});

describe("http", () => {
  test("wants the status 200, and takes any other at its word", async () => {
    expect(await ask("http", await httpServer(200), { path: "/ready" })).toBe("well");
    expect(await ask("http", await httpServer(503))).toBe("answered 503");
    expect(await ask("http", await deadPort())).toContain("ECONNREFUSED");
  });
});

test.each([
  ["stun", { realm: "x" }, "realm is not an option"],
  ["udp", { send: { text: "xyz" } }, "send must have text of hexadecimal digits"],
  ["udp", { receive: {} }, "receive must be a list"],
  ["http", { method: "PUT" }, "method is not an option"],
])("%s refuses the options %j", (name, options, problem) => {
  expect(() => checkers.get(name)!.readOptions(options)).toThrow(problem);
});
