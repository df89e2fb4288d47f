// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { applyStatic } from "./config/apply-static.ts";
import { readBootstrap } from "./config/bootstrap.ts";
import { bootstrapSource } from "./config/bootstrap-source.ts";
import { BuiltinFilters, installedFilters } from "./config/builtin-filters.ts";
import { FilterLoader } from "./config/filter-loader.ts";
import { ConfigStore } from "./config/store.ts";
import type { ProxyOptions } from "./proxy-options.ts";
import { realParts } from "./real-parts.ts";

/**
 * Checks a bootstrap with its static resources, filters included, and opens nothing. Rejects with a
 * `BootstrapError` that lists what is wrong.
 */
export async function checkBootstrap(
  options: Pick<ProxyOptions, "bootstrap" | "node" | "filters" | "codeCache" | "captureFolder" | "parts">,
): Promise<void> {
  const source = bootstrapSource(options.bootstrap);
  const bootstrap = readBootstrap(source, options.node);
  const builtins = new BuiltinFilters(options.filters ?? installedFilters());
  const store = new ConfigStore({
    loader: new FilterLoader(
      options.parts?.filterHost ?? realParts.filterHost,
      builtins,
      options.codeCache,
      options.captureFolder !== undefined,
    ),
    applyPlan: () => Promise.resolve([]),
    probeAddress: () => Promise.resolve(),
  });
  await applyStatic(store, bootstrap, source);
}
