// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Child, type HostPort, proxyBootstrap } from "@msm/deploy";
import type { ScenarioContext } from "../../runner/suite.ts";

/** Starts a proxy as a process of its own, for a control plane that is there already. */
export async function startProxyOf(
  context: ScenarioContext,
  xds: HostPort,
): Promise<{ readonly proxy: Child; readonly adminAddress: HostPort }> {
  const bootstrap = path.join(context.folder, "bootstrap.json");
  await writeFile(bootstrap, proxyBootstrap({ nodeId: "site", admin: "127.0.0.1:0", xds }));
  const main = fileURLToPath(new URL("main.js", import.meta.resolve("@msm/proxy")));
  const args = [main, "-c", bootstrap, "--concurrency", "1"];
  const proxy = Child.start({ name: "proxy", args, logPath: path.join(context.folder, "proxy.log") });
  context.defer(() => proxy.stop());
  const adminAddress = await proxy.logged("where its admin listens", ({ admin }) =>
    typeof admin === "string" ? admin : undefined,
  );
  return { proxy, adminAddress };
}
