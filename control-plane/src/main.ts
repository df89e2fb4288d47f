// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import "./keep-young-heap-small.ts";
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { pino } from "pino";
import { createCommand } from "./command.ts";

const command = createCommand({
  print: (line) => console.log(line),
  createLogger: (level) => pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }),
  setExitCode: (code) => {
    process.exitCode = code;
  },
  stopRequested: () =>
    new Promise((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
    }),
});

// What grpc-js writes to stderr by itself comes back as errors, which are logged once and as JSON.
setLogVerbosity(logVerbosity.NONE);
try {
  await command.parseAsync();
} catch (error) {
  console.error(`control-plane: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
