// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { type Command, InvalidArgumentError } from "commander";
import { RtspCamera } from "../../media/rtsp/rtsp-camera.ts";

interface CameraCommandOptions {
  readonly address: string;
  readonly port: number;
  readonly stream?: readonly string[];
  readonly transport?: "udp" | "tcp";
}

/** Adds `camera`: the test camera by itself. */
export function register(program: Command): void {
  program
    .command("camera")
    .description("run a test camera: an RTSP server with a moving picture and a tone, until Ctrl-C")
    .option("--address <address>", "address to listen at", "127.0.0.1")
    .option("--port <port>", "TCP port; 0 finds a free one", readPort, 8554)
    .option("--stream <path...>", "path of a stream; several may be given (default: test)")
    .option("--transport <name>", "serve udp or tcp alone, and answer the other with 461", readTransport)
    .addHelpText(
      "after",
      "\nExamples:\n  msm camera\n  msm camera --port 0 --stream lobby garage --transport tcp",
    )
    .action(runCamera);
}

async function runCamera({
  address,
  port,
  stream = ["test"],
  transport,
}: CameraCommandOptions): Promise<void> {
  const camera = await RtspCamera.start({
    address,
    port,
    streams: stream,
    ...(transport === undefined ? {} : { transports: [transport] }),
  });
  const host = address.includes(":") ? `[${address}]` : address;
  for (const path of stream) console.log(`rtsp://${host}:${camera.port}/${path}`);
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM"), once(process, "SIGHUP")]);
  await camera.stop();
}

function readPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError("Write a port such as 8554.");
  return port;
}

function readTransport(text: string): "udp" | "tcp" {
  if (text !== "udp" && text !== "tcp") throw new InvalidArgumentError("Write udp or tcp.");
  return text;
}
