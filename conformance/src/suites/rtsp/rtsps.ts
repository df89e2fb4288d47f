// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ConnectionOptions, connect } from "node:tls";
import { type Mesh, until } from "@msm/deploy";
import { Authority, type CertificateFiles } from "../../certificates.ts";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { PLAYERS, type Played, play } from "./players.ts";
import { freeTcpPort } from "./rtsp-mesh.ts";
import { type RtspsMesh, rtspsYaml } from "./rtsps-mesh.ts";
import { startCamera } from "./sources.ts";

const SECONDS = 8;
const PICTURES = 25 * SECONDS;
const NAMES = "DNS:localhost,IP:127.0.0.1";
const CLIENT = "URI:spiffe://mesh/ns/video/sa/player";
/** How long a peer may take to answer or to hang up. */
const ANSWER_MS = 5_000;

/** RTSP in TLS from a camera that knows nothing of it to players of others, one of which checks certificates. */
export const rtsps: Scenario = {
  title:
    "rtsps:// in ffmpeg and GStreamer, which checks the certificate: a new one comes while they play, nothing is lost, and clients are checked",
  run: async (context) => {
    const authority = new Authority(context.folder);
    const strangers = new Authority(folderIn(context, "strangers"));
    const camera = await startCamera(context, "camera", PLAYERS);
    const config: RtspsMesh = {
      ports: { open: await freeTcpPort("127.0.0.1"), mutual: await freeTcpPort("127.0.0.1") },
      ...{ cameraPort: camera.port, certificate: authority.issue("first", NAMES) },
      ...{ authorities: authority.certificate, clientName: CLIENT },
    };
    const ports = Object.values(config.ports);
    const mesh = await context.startMesh({ config: { yaml: rtspsYaml(config) }, ports });
    const { open, mutual } = config.ports;
    const playing = PLAYERS.map((player) => {
      const url = `rtsps://127.0.0.1:${open}/${player}`;
      const authorities = authority.certificate;
      return play(context, { player, name: player, url, transport: "tcp", seconds: SECONDS, authorities });
    });
    const ended: Played[] = [];
    for (const played of playing) void played.then((result) => ended.push(result));
    await until("both players had their handshake", async () => (await ssl(mesh, open, "handshake")) >= 2);
    const second = authority.issue("second", NAMES);
    const ca = readFileSync(authority.certificate, "utf8");
    assert.equal(await nameAt(open, { ca }), "CN=first");
    mesh.writeConfig(rtspsYaml({ ...config, certificate: second }));
    await until(
      "new connections got the new certificate",
      async () => (await nameAt(open, { ca })) === "CN=second",
    );
    assert.equal(ended.length, 0, "players that had ended before the certificate changed");
    await checkClients(mesh, mutual, { authority, strangers, ca });
    for (const [index, played] of (await Promise.all(playing)).entries()) {
      const what = PLAYERS[index]!;
      assert.equal(played.code, 0, `${what}: exit code; ${played.complaints.join("; ")}`);
      assert.equal(played.pictures, PICTURES, `${what}: pictures decoded`);
      assert.deepEqual(played.complaints, [], `${what}: what it complained about`);
    }
    const lost = (await mesh.admin.streams()).filter((stream) => stream.lost !== 0);
    assert.deepEqual(lost, [], "streams of which the proxy missed packets");
    await checkSecrecy(mesh, second);
  },
};

interface Authorities {
  readonly authority: Authority;
  readonly strangers: Authority;
  readonly ca: string;
}

/** Only who has a certificate of the authority with the right name is served, and the others are counted. */
async function checkClients(
  mesh: Mesh,
  port: number,
  { authority, strangers, ca }: Authorities,
): Promise<void> {
  const pem = ({ certificate, privateKey }: CertificateFiles): ConnectionOptions => ({
    ...{ ca, cert: readFileSync(certificate), key: readFileSync(privateKey) },
  });
  assert.match(await options(port, pem(authority.issue("player", CLIENT))), /^RTSP\/1\.0 200 /);
  assert.equal(await options(port, { ca }), "", "what a client without a certificate was told");
  assert.equal(await options(port, pem(strangers.issue("stranger", CLIENT))), "", "what a stranger was told");
  assert.equal(
    await options(port, pem(authority.issue("other", `${CLIENT}s`))),
    "",
    "what another name was told",
  );
  const faults = ["no_cert", "error", "san"].map((fault) => ssl(mesh, port, `fail_verify_${fault}`));
  assert.deepEqual(await Promise.all(faults), [1, 1, 1], "refused clients as they were counted");
}

/** Nothing of a key is in what is shown or logged, and the certificate in force is known by its serial number. */
async function checkSecrecy(mesh: Mesh, { certificate, privateKey }: CertificateFiles): Promise<void> {
  const certs = await mesh.admin.text("/certs");
  const [, base64 = ""] = readFileSync(privateKey, "utf8").split("\n");
  const get = async (path: string) => (await fetch(`http://${mesh.http}${path}`)).text();
  const shown = {
    certs,
    proxy: await mesh.admin.text("/config_dump?include_eds"),
    controlPlane: await get("/debug/config_dump"),
    resources: await get("/debug/resources"),
    logs: ["proxy.log", "control-plane.log"]
      .map((file) => readFileSync(join(mesh.folder, file), "utf8"))
      .join(),
  };
  assert.match(shown.proxy, /\[redacted\]|W3JlZGFjdGVkXQ==/);
  for (const [where, text] of Object.entries(shown)) {
    const encoded = Buffer.from(base64).toString("base64").slice(4, -4);
    assert.ok(!text.includes(base64) && !text.includes(encoded), `${where} holds a part of the key`);
  }
  const { serialNumber } = new X509Certificate(readFileSync(certificate));
  assert.ok(certs.includes(serialNumber.toLowerCase()), "the new certificate at /certs");
}

/** A statistic of TLS of a listener. */
async function ssl(mesh: Mesh, port: number, name: string): Promise<number> {
  const stat = `listener.127.0.0.1_${port}.ssl.${name}`;
  const text = await mesh.admin.text(`/stats?filter=${encodeURIComponent(`^${stat}$`)}`);
  return Number(/: (\d+)/.exec(text)?.[1] ?? 0);
}

/** The subject of the certificate that a new connection is shown. */
function nameAt(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", ...options });
    socket.once("error", reject).once("secureConnect", () => {
      resolve(socket.getPeerX509Certificate()?.subject ?? "");
      socket.destroy();
    });
  });
}

/** What the answer to OPTIONS begins with; empty where the connection ended without one. */
function options(port: number, tls: ConnectionOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", ...tls });
    const timer = setTimeout(() => reject(new Error("neither an answer nor the end came")), ANSWER_MS);
    const finish = (text: string): void => {
      clearTimeout(timer);
      resolve(text);
      socket.destroy();
    };
    // Who is refused sees the connection end, with an alert or without.
    socket.on("error", () => {});
    socket.once("close", () => finish(""));
    socket.once("data", (bytes: Buffer) => finish(bytes.toString("latin1")));
    socket.write("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n");
  });
}

function folderIn(context: Pick<ScenarioContext, "folder">, name: string): string {
  const folder = join(context.folder, name);
  mkdirSync(folder);
  return folder;
}
