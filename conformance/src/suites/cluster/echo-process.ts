// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "@msm/deploy";
import type { ScenarioContext } from "../../runner/suite.ts";

const program = fileURLToPath(new URL("../../traffic/echo-program.js", import.meta.url));

/** Starts an echo endpoint that can be killed or stopped: a process of its own. */
export async function startEchoProcess(
  context: ScenarioContext,
  number: number,
): Promise<{ readonly port: number; readonly pid: number }> {
  const logPath = join(context.folder, `endpoint-${number}.log`);
  const child = Child.start({ name: `endpoint ${number}`, args: [program, String(number)], logPath });
  const pid = child.pid!;
  // A process that is stopped hears of nothing else.
  context.defer(() => child.exit ?? process.kill(pid, "SIGKILL"));
  const port = await child.logged("its port", ({ port }) => (typeof port === "number" ? port : undefined));
  return { port, pid };
}
