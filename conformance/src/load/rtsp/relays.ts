// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { startMesh } from "@msm/deploy";
import { rtspMeshYaml } from "../../suites/rtsp/rtsp-mesh.ts";
import { goProgram } from "../build-go-program.ts";

/** A relay that runs. */
export interface RunningRelay {
  readonly pid: number;
  readonly port: number;
  /** The path of the stream there. */
  readonly path: string;
  stop(): Promise<unknown>;
}

/** Something that plays a source once and serves it to readers. */
export interface RtspRelay {
  readonly name: string;
  readonly needsGo: boolean;
  start(sourcePort: number, folder: string): Promise<RunningRelay>;
}

/** Where the relays take readers; the bench runs where nobody else has ports. */
const PORT = 7554;
const STREAM = "a";

/** The proxy, and gortsplib. */
export const relays: readonly RtspRelay[] = [
  { name: "proxy, rtp-stats on", needsGo: false, start: startProxy },
  { name: "gortsplib", needsGo: true, start: startGortsplib },
];

async function startProxy(sourcePort: number, folder: string): Promise<RunningRelay> {
  const yaml = rtspMeshYaml([PORT, PORT + 2], [{ name: "source", ports: [sourcePort] }]);
  const mesh = await startMesh({ config: { yaml }, ports: [PORT], folder });
  return { pid: mesh.proxy.pid!, port: PORT, path: `source/${STREAM}`, stop: () => mesh.stop() };
}

async function startGortsplib(sourcePort: number): Promise<RunningRelay> {
  const args = [String(PORT), `rtsp://127.0.0.1:${sourcePort}/${STREAM}`];
  const child = spawn(goProgram("gortsplib-relay"), args, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "close");
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (text: Buffer) => {
      said += text;
      if (said.includes("ready")) resolve();
    });
    void ended.then(() => reject(new Error(`gortsplib ended: ${said}`)));
  });
  const stop = () => {
    child.kill("SIGKILL");
    return ended;
  };
  return { pid: child.pid!, port: PORT, path: STREAM, stop };
}
