// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { ConfigError } from "../config-error.ts";
import { tryFilter } from "../wasm/check-filter.ts";
import type { RunnableFilter } from "../wasm/filter-options.ts";
import { ChainHost } from "../wasm/guest-state.ts";
import { NetworkGuest } from "../wasm/network-guest.ts";
import { SignallingGuest } from "./signalling-guest.ts";
import type { SignallingOptions } from "./signalling-options.ts";
import type { RouteRequest, SignallingWorld } from "./signalling-world.ts";

/** What a module must export beyond what every filter does. */
const REQUIRED = ["msm_abi_version_0_1_0", "proxy_on_downstream_data"];
/** One of these, where connections are relayed. */
const NETWORK = ["proxy_on_new_connection", "proxy_on_downstream_data", "proxy_on_upstream_data"];

const anyOptions: SignallingOptions = {
  advertisedAddress: "",
  localAddress: "",
  upstreamTransport: "AUTOMATIC",
  upstreamLingerMs: 0,
  idleTimeoutMs: 0,
  maxFlowsPerConnection: 0,
};

/** A world in which nothing happens. */
const emptyWorld: SignallingWorld = {
  write: () => true,
  close() {},
  resume() {},
  setIdleTimeout() {},
  connect: () => 0,
  putFlow() {},
  changeFlow() {},
  closeFlow() {},
  sendInterleaved: () => "no-leg",
  selectRoute: ({ host, path }: RouteRequest) => ({
    ...{ status: 404, reason: "this is a trial", name: "", cluster: "", endpoint: "", host, path },
  }),
  reportResult() {},
  releaseRoute() {},
};

/**
 * Tries a signalling filter before it is put to work: instantiates, starts and configures it, and throws it away.
 * `isRelay` says whether connections are relayed with it between them, which a Proxy-Wasm network filter does as it is.
 * `field` is named in errors. Throws ConfigError MSM_FILTER_ABI, MSM_FILTER_START or MSM_FILTER_CONFIG.
 */
export function checkSignalling(plan: RunnableFilter, field: string, isRelay = false): void {
  const exported = new Set(WebAssembly.Module.exports(plan.module).map(({ name }) => name));
  if (isRelay) {
    if (!NETWORK.some((name) => exported.has(name))) {
      const problem = `the module exports none of ${NETWORK.join(", ")}; a network filter must`;
      throw new ConfigError("MSM_FILTER_ABI", field, problem);
    }
    tryFilter(plan, field, true, (env) => new NetworkGuest(plan, new ChainHost(env)));
    return;
  }
  for (const name of REQUIRED) {
    if (exported.has(name)) continue;
    const problem = `the module does not export ${name}; a signalling filter must`;
    throw new ConfigError("MSM_FILTER_ABI", field, problem);
  }
  tryFilter(plan, field, true, (env) => new SignallingGuest(plan, env, emptyWorld, anyOptions));
}
