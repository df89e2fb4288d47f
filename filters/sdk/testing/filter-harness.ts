// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import path from "node:path";
import { fileURLToPath } from "node:url";
import {
  checkFilter,
  compileFilter,
  FilterChain,
  type LogLine,
  MemoryBatch,
  MemoryEnvironment,
  type SentDatagram,
  type StreamReport,
  takeOutgoing,
} from "@msm/proxy/wasm";
import { compileFolder } from "./compile.mjs";

/** The folder of filters, the same relative path from `testing` and from `dist`. */
const FILTERS = fileURLToPath(new URL("../..", import.meta.url));

const NANOSECONDS_PER_MS = 1e6;

/** How a harness runs its filter. */
export interface HarnessOptions {
  readonly failurePolicy?: "FAIL_CLOSED" | "FAIL_OPEN";
  /** The most datagrams per `run`; 64 unless said. */
  readonly capacity?: number;
  /** The longest datagram; 2,048 bytes unless said. */
  readonly payloadBytes?: number;
  /** As what the module runs: `plugin` unless said, with its instructions counted. */
  readonly trust?: "builtin" | "plugin";
}

/** What the datagrams of a run have in common. */
export interface RunOptions {
  /** Where they come from; the client unless said. */
  readonly from?: "client" | "endpoint";
  /** Index of their session, 0 unless said; it is opened when first named. */
  readonly session?: number;
  /** Receive times of the datagrams on the harness's clock; unless said, the time that it shows. */
  readonly rxNs?: readonly bigint[];
}

/** What a filter did with a run of datagrams, in their order. */
export interface RunResult {
  readonly actions: readonly number[];
  readonly reasons: readonly number[];
  readonly payloads: readonly Uint8Array[];
  /** What leaves beside them: emitted datagrams, replies, and those that were paused before. */
  readonly sent: readonly SentDatagram[];
}

/**
 * Runs a real filter on the proxy's real filter host, with a clock that stands still until it is told to move.
 * Times are nanoseconds on that clock.
 */
export class FilterHarness {
  readonly #env: MemoryEnvironment;
  readonly #chain: FilterChain;
  readonly #batch: MemoryBatch;
  readonly #sessions = new Set<number>();

  private constructor(env: MemoryEnvironment, chain: FilterChain, options: HarnessOptions) {
    this.#env = env;
    this.#chain = chain;
    this.#batch = new MemoryBatch(options.capacity, options.payloadBytes);
  }

  /**
   * Compiles and starts a filter: one of this project by its name, or any other by the path of its folder.
   * `config` is handed over as JSON, or as it is where it is bytes. Throws ConfigError where the filter refuses it.
   */
  static async load(
    filter: string,
    config: unknown = {},
    options: HarnessOptions = {},
  ): Promise<FilterHarness> {
    const folder = path.resolve(FILTERS, filter);
    const { bytes, suffix } = await compileFolder(folder);
    const compiled = await compileFilter(bytes, "filter", suffix === ".js" ? "script" : options.trust);
    const plan = {
      name: path.basename(folder),
      rootId: "",
      vmId: "",
      ...compiled,
      configuration: config instanceof Uint8Array ? config : new TextEncoder().encode(JSON.stringify(config)),
      vmConfiguration: new Uint8Array(),
      failurePolicy: options.failurePolicy ?? "FAIL_CLOSED",
    } as const;
    checkFilter(plan, "configuration", true, true);
    const env = new MemoryEnvironment();
    return new FilterHarness(env, FilterChain.create([plan], env), options);
  }

  /** The time that the clock shows. */
  get nowNs(): bigint {
    return this.#env.nowNs;
  }

  /** Bytes of the filter's memory. */
  get memoryBytes(): number {
    return this.#chain.memoryBytes;
  }

  /** What the filter logged. */
  get logs(): readonly LogLine[] {
    return this.#env.logs;
  }

  /** Runs datagrams through the filter as one batch. */
  run(datagrams: readonly Uint8Array[], options: RunOptions = {}): RunResult {
    const batch = this.stage(datagrams, options);
    this.runStaged(batch);
    const indexes = datagrams.map((_, i) => i);
    return {
      actions: indexes.map((i) => batch.action(i)),
      reasons: indexes.map((i) => batch.reason(i)),
      payloads: indexes.map((i) => batch.payload(i)),
      sent: takeOutgoing(this.#chain),
    };
  }

  /** Puts datagrams into the batch, for `runStaged`. The batch is the same at every call. */
  stage(datagrams: readonly Uint8Array[], options: RunOptions = {}): MemoryBatch {
    const session = options.session ?? 0;
    if (!this.#sessions.has(session)) this.openSession(session);
    this.#batch.stage(
      datagrams.map((payload, i) => ({
        payload,
        session,
        upstream: options.from === "endpoint",
        rxNs: MemoryEnvironment.wallNsAt(options.rxNs?.[i] ?? this.#env.nowNs),
      })),
    );
    return this.#batch;
  }

  /** Runs what is in the batch, without allocating: for benches. */
  runStaged(batch: MemoryBatch): void {
    const isUpstream = (batch.word(0, 3) & 1) !== 0;
    this.#chain.run(batch, 0, batch.count, isUpstream, Number(this.#env.nowNs));
  }

  /** Opens a session, from an address of the harness's own choice unless one is given. */
  openSession(index: number, client = `192.0.2.${(index % 254) + 1}:${40_000 + index}`): void {
    this.#sessions.add(index);
    const addresses = { client, endpoint: "198.51.100.1:5004", local: "203.0.113.1:5004" };
    this.#chain.openSession({ index, ...addresses, resumed: false });
  }

  /** Says which endpoints there are for `routeSession`. */
  setEndpoints(...endpoints: readonly string[]): void {
    for (const endpoint of endpoints) this.#env.endpoints.add(endpoint);
  }

  /** The endpoints to which the filter routed sessions, by their index. */
  get routed(): ReadonlyMap<number, string> {
    return this.#env.routed;
  }

  /** What was written to the sink of this name: its header, then each record. */
  written(sink: string): readonly Uint8Array[] {
    return this.#env.sinks.get(sink) ?? [];
  }

  /** Lets sinks take what is written, or refuse it as where the disk is too slow. */
  openSinks(isOpen: boolean): void {
    this.#env.areSinksOpen = isOpen;
  }

  /** Sessions that the filter wants closed, since this was last asked. */
  closeRequests(): readonly number[] {
    return this.#chain.takeCloseRequests();
  }

  closeSession(index: number): void {
    this.#sessions.delete(index);
    this.#chain.closeSession(index);
  }

  /** Moves the clock by so many milliseconds and runs what is due. Returns the datagrams that leave by that. */
  tick(ms: number): readonly SentDatagram[] {
    this.#chain.tick(Number(this.#env.nowNs) / NANOSECONDS_PER_MS);
    this.#env.nowNs += BigInt(Math.round(ms * NANOSECONDS_PER_MS));
    this.#chain.tick(Number(this.#env.nowNs) / NANOSECONDS_PER_MS);
    return takeOutgoing(this.#chain);
  }

  /** A counter or gauge, by its name with the labels that the filter gave it; 0 where there is none. */
  metric(key: string): number {
    return this.#env.value(key);
  }

  /** What a histogram observed. */
  observations(key: string): readonly number[] {
    return this.#env.observations(key);
  }

  /** The streams that the filter reports. */
  streams(): readonly StreamReport[] {
    return this.#chain.streams();
  }

  /** Whether the filter failed, so that its failure policy holds. */
  get isFailed(): boolean {
    return this.#chain.failed.length > 0;
  }
}
