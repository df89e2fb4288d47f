// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { ConfigError } from "../config-error.ts";
import { type BootstrapConfig, bootstrapError } from "./bootstrap.ts";
import type { BootstrapSource } from "./bootstrap-source.ts";
import type { ConfigStore } from "./store.ts";

/**
 * Applies the static resources of a bootstrap. Throws a `BootstrapError` that names every one that was refused,
 * and every listener that would wait for something that nobody will send.
 */
export async function applyStatic(
  store: ConfigStore,
  { staticResources, ads }: BootstrapConfig,
  source: BootstrapSource,
): Promise<void> {
  const problems: ConfigError[] = [];
  for (const { type, added } of staticResources) {
    const rejections = await store.apply({ type, added, removed: [] });
    problems.push(...rejections.map(({ error }) => error));
  }
  const paths = new Map(staticResources.flatMap(({ added }) => added.map(({ name, path }) => [name, path])));
  for (const [listener, missing] of ads === undefined ? store.built.warming : []) {
    const problem = `needs ${missing.join(" and ")}, which the file does not have; add it, or a control plane`;
    problems.push(new ConfigError("MSM_BOOTSTRAP_UNRESOLVED", paths.get(listener) ?? listener, problem));
  }
  if (problems.length > 0) throw bootstrapError(source, problems);
}
