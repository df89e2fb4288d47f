// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import { clustersTable, type ProxyClusters } from "../clusters-table.ts";
import { DEFAULT_ADMIN, namedProxy, noAnswer } from "../named-proxy.ts";

interface ClustersOptions {
  readonly admin: string;
  readonly json?: true;
}

/** Adds `clusters`: the clusters of a running proxy with their endpoints. */
export function register(program: Command): void {
  program
    .command("clusters")
    .description("the clusters of a running proxy: endpoints, weights, health and why, sessions")
    .option("--admin <url>", "admin address of the proxy", DEFAULT_ADMIN)
    .option("--json", "as JSON: Envoy's admin.v3.Clusters")
    .addHelpText("after", "\nExamples:\n  msm clusters\n  msm clusters --admin http://127.0.0.1:15001 --json")
    .action(showClusters);
}

async function showClusters({ admin, json }: ClustersOptions): Promise<void> {
  const text = await namedProxy(admin)
    .text("/clusters?format=json")
    .catch((error: unknown) => {
      throw noAnswer(admin, error);
    });
  const shown = json ? text.trimEnd() : clustersTable(JSON.parse(text) as ProxyClusters).join("\n");
  process.stdout.write(`${shown}\n`);
}
