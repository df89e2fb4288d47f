// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type Mesh, until } from "@msm/deploy";

/** Writes a configuration that changes endpoints alone, and waits until the datapath has it. */
export async function changeEndpoints(mesh: Mesh, yaml: string): Promise<void> {
  const before = await updates(mesh);
  mesh.writeConfig(yaml);
  await until("the proxy took new endpoints", async () => (await updates(mesh)) > before, 5000);
}

async function updates(mesh: Mesh): Promise<number> {
  const stats = await mesh.admin.text("/stats");
  return Number(/^cluster_manager\.eds\.update_success: (\d+)$/m.exec(stats)?.[1] ?? 0);
}
