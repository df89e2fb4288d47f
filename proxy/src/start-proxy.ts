// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readBootstrap } from "./config/bootstrap.ts";
import { bootstrapSource } from "./config/bootstrap-source.ts";
import type { LiveListener } from "./datapath/datapath.ts";
import type { FlowService } from "./flow/flow-service.ts";
import type { SocketAddress } from "./plan.ts";
import { ProxyAssembly } from "./proxy-assembly.ts";
import type { ProxyOptions } from "./proxy-options.ts";

/** A proxy that runs. */
export interface RunningProxy {
  readonly adminAddress: SocketAddress;
  readonly metricsAddress: SocketAddress | undefined;
  readonly healthAddress: SocketAddress | undefined;
  /** Name of the I/O backend in use. */
  readonly io: string;
  /** The open listeners with the addresses that they got. */
  listeners(): readonly LiveListener[];
  /** Opens and closes flows, as signalling does. */
  readonly flows: FlowService;
  /**
   * Lets it run empty before it is closed: listeners refuse newcomers, `/ready` says DRAINING. Resolves when the last session,
   * connection and flow has ended, after `limitMs`, or when the proxy is closed.
   */
  drain(limitMs: number): Promise<void>;
  /** Resolves when the proxy has stopped, by `close` or by POST `/quitquitquit`. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a proxy: reads the bootstrap, opens the admin interface, starts the datapath, applies the static
 * resources and asks the control plane for the rest. Resolves once the static resources are applied; `/ready`
 * tells when the rest is. Rejects with a `BootstrapError` or a `ConfigError`, and then nothing is left running.
 */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const source = bootstrapSource(options.bootstrap);
  const proxy = new ProxyAssembly(options, readBootstrap(source, options.node));
  try {
    await proxy.start(source);
    return proxy;
  } catch (error) {
    await proxy.close();
    throw error;
  }
}
