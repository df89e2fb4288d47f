// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import path from "node:path";
import { fileURLToPath } from "node:url";
import {
  abi,
  checkFilter,
  compileFilter,
  FilterChain,
  Flag,
  type LogLine,
  MemoryBatch,
  MemoryEnvironment,
  type SentDatagram,
  type StreamReport,
  takeOutgoing,
  Word,
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
  /** Where the filter runs; unless said, SESSION, or where it wants to run if that is elsewhere. */
  readonly stage?: StageName;
  /** As what the module runs: `plugin` unless said, with its instructions counted. */
  readonly trust?: "builtin" | "plugin";
}

/** Where a filter may run. */
export type StageName = "LISTENER" | "SESSION" | "EGRESS";

const stageBits: Readonly<Record<StageName, number>> = {
  SESSION: abi.Stage.Session,
  EGRESS: abi.Stage.Egress,
  LISTENER: abi.Stage.Listener,
};

/** At LISTENER a datagram's context is 0: that of no session. */
const NO_SESSION = -abi.FIRST_SESSION_CONTEXT;

/** What the datagrams of a run have in common. */
export interface RunOptions {
  /** Where they come from; the client unless said. */
  readonly from?: "client" | "endpoint";
  /** Index of their session, 0 unless said; it is opened when first named. With several, the datagrams have them in turn. */
  readonly session?: number | readonly number[];
  /** At LISTENER: where they come from. */
  readonly source?: { readonly address: string; readonly port: number };
  /** Receive times of the datagrams on the harness's clock; unless said, the time that it shows. */
  readonly rxNs?: readonly bigint[];
}

/** What a filter did with a run of datagrams, in their order. */
export interface RunResult {
  readonly actions: readonly number[];
  readonly reasons: readonly number[];
  readonly payloads: readonly Uint8Array[];
  /** At LISTENER: the key of the session that the filter said each is of, if any. */
  readonly keys: readonly (bigint | undefined)[];
  /** At LISTENER: the target that the filter chose for each, if any. */
  readonly targets: readonly (string | undefined)[];
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
  readonly #stages: number;

  private constructor(env: MemoryEnvironment, chain: FilterChain, options: HarnessOptions, stages: number) {
    this.#env = env;
    this.#stages = stages;
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
    const stages = checkFilter(plan, "configuration", true, true);
    const stage = stageBits[options.stage ?? stageNames(stages)[0]!];
    const env = new MemoryEnvironment("test", true, stage);
    return new FilterHarness(env, FilterChain.create([plan], env), options, stages);
  }

  /** The stages that the filter is made for. */
  get stages(): readonly StageName[] {
    return stageNames(this.#stages);
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
      keys: indexes.map((i) => (this.#hasFlag(i, Flag.SetKey) ? this.#user(i) : undefined)),
      targets: indexes.map((i) =>
        this.#hasFlag(i, Flag.Retarget) ? this.#chain.target(batch.word(i, Word.target))?.name : undefined,
      ),
      sent: takeOutgoing(this.#chain),
    };
  }

  /** Puts datagrams into the batch, for `runStaged`. The batch is the same at every call. */
  stage(datagrams: readonly Uint8Array[], options: RunOptions = {}): MemoryBatch {
    const isAtListener = this.#env.stage === abi.Stage.Listener;
    const sessions = [options.session ?? 0].flat();
    for (const session of isAtListener ? [] : sessions)
      if (!this.#sessions.has(session)) this.openSession(session);
    this.#batch.stage(
      datagrams.map((payload, i) => ({
        payload,
        session: isAtListener ? NO_SESSION : sessions[i % sessions.length]!,
        source: options.source ?? { address: "192.0.2.1", port: 40_000 },
        upstream: options.from === "endpoint" && !isAtListener,
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

  #hasFlag(i: number, flag: number): boolean {
    return (this.#batch.word(i, Word.flags) & flag) !== 0;
  }

  #user(i: number): bigint {
    const [low, high] = [this.#batch.word(i, Word.userLow), this.#batch.word(i, Word.userHigh)];
    return BigInt(low) | (BigInt(high) << 32n);
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

/** The names of stages, that of sessions first. */
function stageNames(stages: number): readonly StageName[] {
  return (Object.keys(stageBits) as StageName[]).filter((name) => (stages & stageBits[name]) !== 0);
}
