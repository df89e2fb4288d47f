// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from "@msm/control-plane";
import type { ScenarioContext } from "../../runner/suite.ts";

/** A control plane of ours, and its file. */
export interface RunningControlPlane {
  readonly plane: ControlPlane;
  /** Replaces the configuration as editors do: a new file is renamed over the old. */
  write(yaml: string): void;
  /** What the HTTP port answers in JSON. */
  json(path: string): Promise<unknown>;
}

/** Starts one in this process, on free ports of the loopback. */
export async function startPlane(
  context: ScenarioContext,
  yaml: string,
  options: Partial<ControlPlaneOptions> = {},
): Promise<RunningControlPlane> {
  const config = join(context.folder, "mesh.yaml");
  writeFileSync(config, yaml);
  const loopback = "127.0.0.1:0";
  const addresses = { xdsAddress: loopback, httpAddress: loopback };
  const plane = await startControlPlane({ config, ...addresses, ...options });
  context.defer(() => plane.close());
  return {
    plane,
    write: (text) => {
      writeFileSync(`${config}.new`, text);
      renameSync(`${config}.new`, config);
    },
    json: async (path) => (await fetch(`http://${plane.httpAddress}${path}`)).json(),
  };
}
