// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { type DemoOptions, runDemo } from "./demo.ts";
import { runRtspDemo } from "./rtsp-demo.ts";

const HELP = `npm start [-- OPTIONS]   a whole mesh on this machine, with a live source and a viewer

  --demo NAME   rtp: a camera that sends to the mesh; rtsp: one that players ask through it (rtsp if not said)
  --config FILE mesh resources in the place of deploy/local/mesh.yaml or deploy/local/rtsp.yaml
  --seconds N   stop after N seconds
  --io NAME     the proxy's datagram backend: auto, mmsg or dgram
  --help        this text

The last line is a summary in JSON; the exit code is 0 only if media flowed without loss.`;

/** Rewrites the table in place; a line printed between goes above the next table. */
function terminal(): Pick<DemoOptions, "print" | "repaint"> {
  let painted = 0;
  return {
    print: (line) => {
      painted = 0;
      console.log(line);
    },
    repaint: (lines) => {
      const up = painted > 0 ? `\x1b[${painted}A` : "";
      process.stdout.write(`${up}${lines.map((line) => `\x1b[2K${line}\n`).join("")}`);
      painted = lines.length;
    },
  };
}

const demos = { rtp: runDemo, rtsp: runRtspDemo } as const;

interface Arguments {
  readonly demo: keyof typeof demos;
  readonly seconds?: number;
  readonly io?: string;
  readonly config?: string;
}

function readArguments(): Arguments | undefined {
  const { values } = parseArgs({
    options: {
      demo: { type: "string", default: "rtsp" },
      seconds: { type: "string" },
      io: { type: "string" },
      config: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(HELP);
    return undefined;
  }
  const seconds = Number(values.seconds ?? 1);
  if (!(seconds > 0)) throw new RangeError(`--seconds ${values.seconds} is no time; write --seconds 10`);
  const { demo } = values;
  if (demo !== "rtp" && demo !== "rtsp") throw new RangeError(`--demo ${demo} is none; write rtp or rtsp`);
  const { io, config } = values;
  return { demo, ...(values.seconds && { seconds }), ...(io && { io }), ...(config && { config }) };
}

async function main(): Promise<number> {
  const options = readArguments();
  if (!options) return 0;
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
  const { demo, ...rest } = options;
  const result = await demos[demo]({
    ...rest,
    signal: stop.signal,
    ...(process.stdout.isTTY ? terminal() : { print: (line: string) => console.log(line) }),
  });
  console.log(JSON.stringify(result.summary));
  return result.isClean ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
