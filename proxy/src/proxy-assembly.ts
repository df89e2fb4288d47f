// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from "node:os";
import { type HttpServer, startHttpServer } from "./admin/http-server.ts";
import { joinStreams } from "./admin/join-streams.ts";
import { loadRoutes } from "./admin/load-routes.ts";
import type { AdminContext, AdminRoute } from "./admin/route.ts";
import { ServerState } from "./admin/server-state.ts";
import { ClusterKeeper } from "./cluster/cluster-keeper.ts";
import { lookupName } from "./cluster/discovery/lookup-name.ts";
import { loadHealthCheckers } from "./cluster/load-health-checkers.ts";
import { conductByCluster } from "./cluster/outliers.ts";
import { applyStatic } from "./config/apply-static.ts";
import { bindAdvice } from "./config/bind-advice.ts";
import type { BootstrapConfig } from "./config/bootstrap.ts";
import type { BootstrapSource } from "./config/bootstrap-source.ts";
import { BuiltinFilters, installedFilters } from "./config/builtin-filters.ts";
import { FilterLoader } from "./config/filter-loader.ts";
import { ListenerWatch } from "./config/listener-watch.ts";
import { formatAddress } from "./config/read-address.ts";
import type { AdsConfig } from "./config/read-ads.ts";
import { refuse } from "./config/refuse.ts";
import type { ResourceType } from "./config/resource.ts";
import { ConfigStore } from "./config/store.ts";
import type { Datapath, LiveListener } from "./datapath/datapath.ts";
import type { FlowService } from "./flow/flow-service.ts";
import { type Logger, silentLogger } from "./logger.ts";
import type { Plan, PlanRejection, SocketAddress } from "./plan.ts";
import type { ProxyOptions, ProxyParts } from "./proxy-options.ts";
import { proxyVersion } from "./proxy-version.ts";
import { realParts } from "./real-parts.ts";
import { SignallingDatapath } from "./signalling/signalling-datapath.ts";
import { SignallingPool } from "./signalling/signalling-pool.ts";
import type { RunningProxy } from "./start-proxy.ts";
import { StatsRegistry } from "./stats/registry.ts";
import { serverSamples } from "./stats/server-samples.ts";
import { DRAIN_TIME_MS, ListenerDrain } from "./worker/listener-drain.ts";
import { countActive, whenIdle } from "./worker/when-idle.ts";
import { clientNode } from "./xds/client-node.ts";
import { type AnyAdsClient, createAdsClient } from "./xds/create-ads-client.ts";
import { xdsStats } from "./xds/xds-stats.ts";

/** The parts of one proxy, and the order in which they start and stop. */
export class ProxyAssembly implements RunningProxy {
  readonly closed: Promise<void>;
  adminAddress: SocketAddress;
  metricsAddress: SocketAddress | undefined;
  healthAddress: SocketAddress | undefined;
  readonly #options: ProxyOptions;
  readonly #bootstrap: BootstrapConfig;
  readonly #parts: ProxyParts;
  readonly #loggerFor: (component: string) => Logger;
  readonly #registry = new StatsRegistry();
  readonly #watch: ListenerWatch;
  readonly #loader: FilterLoader;
  readonly #store: ConfigStore;
  readonly #state: ServerState;
  readonly #startedAt = new Date();
  readonly #servers: HttpServer[] = [];
  #datapath: Datapath | undefined;
  #client: AnyAdsClient | undefined;
  #keeper: ClusterKeeper | undefined;
  #fetchTimer: NodeJS.Timeout | undefined;
  readonly #drainTimeMs: number;
  readonly #drain: ListenerDrain;
  readonly #ending = new AbortController();
  #closing: Promise<void> | undefined;
  #resolveClosed: () => void = () => {};

  constructor(options: ProxyOptions, bootstrap: BootstrapConfig) {
    this.#options = options;
    this.#bootstrap = bootstrap;
    this.#parts = { ...realParts, ...options.parts };
    this.#loggerFor = options.loggerFor ?? (() => silentLogger);
    this.#watch = new ListenerWatch(this.#registry, this.#loggerFor("listeners"));
    this.#loader = new FilterLoader(
      this.#parts.filterHost,
      new BuiltinFilters(options.filters ?? installedFilters()),
      options.codeCache,
      options.captureFolder !== undefined,
    );
    this.#store = new ConfigStore({
      loader: this.#loader,
      applyPlan: (plan) => this.#drain.apply(plan),
      probeAddress: this.#parts.probeAddress,
      onRefused: (type, { code }) => this.#countRefused(type, code),
    });
    this.#state = new ServerState(
      bootstrap.ads?.wildcards ?? new Set(),
      () => this.#store.built.warming.size,
    );
    this.#drainTimeMs = options.drainTimeMs ?? DRAIN_TIME_MS;
    this.#drain = new ListenerDrain((plan) => this.#applyPlan(plan), this.#drainTimeMs);
    this.adminAddress = bootstrap.adminAddress;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get io(): string {
    return this.#datapath?.io ?? "";
  }

  get flows(): FlowService {
    if (this.#datapath === undefined) throw new Error("the datapath does not run yet");
    return this.#datapath.flowService;
  }

  listeners(): readonly LiveListener[] {
    return this.#datapath?.listeners() ?? [];
  }

  /** Starts everything. Where it rejects, `close` takes back what was started. */
  async start(source: BootstrapSource): Promise<void> {
    const { io = "auto", concurrency = availableParallelism() } = this.#options;
    await this.#startServers();
    const checkers = await loadHealthCheckers();
    this.#keeper = new ClusterKeeper({
      apply: (plan) => this.#applyToDatapath(plan),
      conducts: (clusters) => conductByCluster(this.#datapath?.endpoints(clusters) ?? []),
      streams: async () => joinStreams((await this.#datapath?.streams()) ?? []),
      checkers,
      lookup: lookupName,
      world: this.#parts.surroundings,
    });
    const datapath = await this.#parts.startDatapath({
      io,
      concurrency,
      logger: this.#loggerFor("datapath"),
      captureFolder: this.#options.captureFolder,
      memoryLimitBytes: this.#options.memoryLimitBytes,
      loadFilter: (name, config) => this.#loader.load(name, config),
    });
    const { flowService: flows } = datapath;
    const signalling = new SignallingPool({ concurrency, flows, logger: this.#loggerFor("signalling") });
    this.#datapath = new SignallingDatapath(datapath, signalling);
    const admin = formatAddress(this.adminAddress);
    this.#loggerFor("main").info(
      { admin, io: this.io, concurrency: this.#datapath.concurrency },
      "listening",
    );
    await applyStatic(this.#store, this.#bootstrap, source);
    if (this.#bootstrap.ads !== undefined) this.#startClient(this.#bootstrap.ads);
    this.#state.start();
  }

  async drain(limitMs: number): Promise<void> {
    const logger = this.#loggerFor("main");
    const active = () => countActive(this.#datapath?.samples() ?? []);
    this.#state.setDraining(true);
    logger.info({ seconds: limitMs / 1000, active: active() }, "draining");
    await this.#drain.drain({ isGraceful: true, staysOpen: true, inboundOnly: false });
    logger.info({ left: await whenIdle(active, limitMs, this.#ending.signal) }, "drained");
  }

  close(): Promise<void> {
    this.#ending.abort();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#fetchTimer);
    await this.#client?.close();
    this.#drain.close();
    this.#keeper?.close();
    await this.#datapath?.close();
    await Promise.all(this.#servers.map((server) => server.close()));
    this.#resolveClosed();
  }

  async #startServers(): Promise<void> {
    const routes = new Map((await loadRoutes()).map((route) => [route.path, route]));
    this.adminAddress = await this.#serve(this.adminAddress, "admin.address", routes);
    const { metricsAddress, healthAddress } = this.#options;
    const only = (path: string, as: string) =>
      new Map([...routes].flatMap(([name, route]) => (name === path ? [[as, { ...route, path: as }]] : [])));
    if (metricsAddress !== undefined) {
      this.metricsAddress = await this.#serve(
        metricsAddress,
        "--metrics-address",
        only("/stats/prometheus", "/metrics"),
      );
    }
    if (healthAddress !== undefined) {
      this.healthAddress = await this.#serve(
        healthAddress,
        "--health-address",
        only("/ready", "/healthz/ready"),
      );
    }
  }

  async #serve(
    address: SocketAddress,
    field: string,
    routes: ReadonlyMap<string, AdminRoute>,
  ): Promise<SocketAddress> {
    try {
      const options = { address, routes, context: this.#context(), logger: this.#loggerFor("admin") };
      const server = await startHttpServer(options);
      this.#servers.push(server);
      return server.address;
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      const problem = `${formatAddress(address)} cannot be bound: ${cause.message}; ${bindAdvice(cause)}`;
      return refuse("MSM_BOOTSTRAP_ADDRESS", field, problem);
    }
  }

  #context(): AdminContext {
    const { bootstrap, logLevel, faultInjection = false } = this.#options;
    const context = {
      version: proxyVersion,
      startedAt: this.#startedAt,
      bootstrap: this.#bootstrap,
      configPath: typeof bootstrap === "string" ? bootstrap : "",
      drainTimeMs: this.#drainTimeMs,
      store: this.#store,
      state: this.#state,
      datapath: () => this.#datapath,
      isFaultInjectionEnabled: faultInjection,
      rates: (cluster: string) => this.#keeper?.rates(cluster),
    };
    return {
      ...context,
      samples: () => [
        ...this.#registry.samples(),
        ...serverSamples(context),
        ...(this.#datapath?.samples() ?? []),
        ...(this.#keeper?.samples() ?? []),
      ],
      logLevel: () => logLevel?.get() ?? "silent",
      setLogLevel: (level) => logLevel?.set(level) ?? false,
      drainListeners: (order) => this.#drain.drain(order),
      // The answer goes out first: closing waits for it, but a connection that is idle is cut.
      quit: () => setImmediate(() => void this.close()),
    };
  }

  #countRefused(type: ResourceType, code: string): void {
    const name = "msm_config_refused_total";
    const help = "Resources that were refused, by their type and the code of the refusal.";
    this.#registry
      .counter({ name, help, dottedName: `${name}.${type}.${code}`, labels: { type, code } })
      .add();
  }

  #applyPlan(plan: Plan): Promise<readonly PlanRejection[]> {
    if (this.#keeper === undefined) throw new Error("the datapath does not run yet");
    return this.#keeper.apply(plan);
  }

  async #applyToDatapath(plan: Plan): Promise<readonly PlanRejection[]> {
    if (this.#datapath === undefined) throw new Error("the datapath does not run yet");
    const rejections = await this.#datapath.apply(plan);
    for (const { listener, error } of rejections) this.#watch.failed(listener, error);
    this.#watch.update(this.#datapath.listeners());
    return rejections;
  }

  #startClient(ads: AdsConfig): void {
    this.#client = createAdsClient(ads, clientNode(this.#bootstrap.node, proxyVersion), {
      sink: this.#store,
      surroundings: this.#parts.surroundings,
      stats: xdsStats(this.#registry),
      logger: this.#loggerFor("xds"),
      onAnswered: (type) => this.#state.answered(type),
    });
    this.#client.start();
    if (ads.initialFetchTimeoutMs === 0) return;
    this.#fetchTimer = setTimeout(() => this.#state.stopWaiting(), ads.initialFetchTimeoutMs).unref();
  }
}
