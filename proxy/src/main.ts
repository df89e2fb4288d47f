// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Command, InvalidArgumentError, Option } from "commander";
import { type Logger as PinoLogger, pino } from "pino";
import { checkBootstrap } from "./check-bootstrap.ts";
import { BootstrapError } from "./config/bootstrap-error.ts";
import { ConfigError } from "./config-error.ts";
import type { SocketAddress } from "./plan.ts";
import type { LogLevelControl, ProxyOptions } from "./proxy-options.ts";
import { proxyVersion } from "./proxy-version.ts";
import { type RunningProxy, startProxy } from "./start-proxy.ts";

/** A stop that takes longer is not clean any more; whoever asked for it goes on. */
const STOP_LIMIT_MS = 1000;
/** A day: who wants sessions to end by themselves however long it takes does not stop the proxy. */
const MOST_SECONDS = 86_400;
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

interface Flags {
  readonly configPath: string;
  readonly concurrency?: number;
  readonly io: string;
  readonly filters?: string;
  readonly codeCache?: string;
  readonly captureFolder?: string;
  /** MiB. */
  readonly memoryLimit?: number;
  readonly drainTimeS?: number;
  readonly terminationDrainS: number;
  readonly logLevel: string;
  readonly mode: "serve" | "validate";
  readonly serviceNode?: string;
  readonly serviceCluster?: string;
  readonly metricsAddress?: SocketAddress;
  readonly healthAddress?: SocketAddress;
  readonly enableFaultInjection?: boolean;
}

await main(parseFlags());

function parseFlags(): Flags {
  return new Command("msm-proxy")
    .description("The UDP and RTP proxy of Media Streaming Mesh, configured as Envoy is.")
    .version(proxyVersion)
    .requiredOption("-c, --config-path <file>", "bootstrap file, YAML in the shape of Envoy's Bootstrap")
    .option("--concurrency <n>", "datapath workers (default: one for each core)", parseCount)
    .option("--io <name>", "I/O backend: auto, mmsg or dgram", "auto")
    .option("--filters <folder>", "folder of the built-in filters (default: that of @msm/filters)")
    .option(
      "--code-cache <folder>",
      "where code that was fetched is kept (default: among the temporary files)",
    )
    .option("--capture-folder <folder>", "where filters may write captures (default: nowhere)")
    .option("--memory-limit <mib>", "MiB beyond which nothing new is taken (default: none)", parseCount)
    .option("--drain-time-s <s>", "how long a graceful /drain_listeners takes (default: 600)", parseSeconds)
    .option("--termination-drain-s <s>", "how long SIGTERM lets what there is go on", parseSeconds, 0)
    .addOption(new Option("-l, --log-level <level>", "how much to log").choices(LOG_LEVELS).default("info"))
    .addOption(
      new Option("--mode <mode>", "validate checks the file and ends")
        .choices(["serve", "validate"])
        .default("serve"),
    )
    .option("--service-node <id>", "overrides node.id of the file")
    .option("--service-cluster <name>", "overrides node.cluster of the file")
    .option("--metrics-address <ip:port>", "serve /metrics there too, e.g. 0.0.0.0:15020", parseAddress)
    .option("--health-address <ip:port>", "serve /healthz/ready there too, e.g. 0.0.0.0:15021", parseAddress)
    .option("--enable-fault-injection", "allow POST /workers/kill, for tests of what happens then")
    .parse()
    .opts<Flags>();
}

async function main(flags: Flags): Promise<void> {
  const loggers = createLoggers(flags.logLevel);
  const { configPath, concurrency, io, filters, codeCache, captureFolder, metricsAddress, healthAddress } =
    flags;
  const options: ProxyOptions = {
    bootstrap: configPath,
    ...{ concurrency, io, filters, codeCache, captureFolder, metricsAddress, healthAddress },
    memoryLimitBytes: flags.memoryLimit === undefined ? undefined : flags.memoryLimit * 2 ** 20,
    drainTimeMs: flags.drainTimeS === undefined ? undefined : flags.drainTimeS * 1000,
    node: { id: flags.serviceNode, cluster: flags.serviceCluster },
    loggerFor: (component) => loggers.root.child({ component }),
    logLevel: loggers.level,
    faultInjection: flags.enableFaultInjection,
  };
  try {
    if (flags.mode === "validate") {
      await checkBootstrap(options);
      process.stdout.write(`configuration '${configPath}' OK\n`);
      return;
    }
    const proxy = await startProxy(options);
    stopOnSignals(proxy, flags.terminationDrainS * 1000, loggers.root);
    await proxy.closed;
    loggers.root.info("stopped");
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    process.exitCode = 1;
  }
}

/** The root logger, and a hold on the level of it and of every child, which pino does not change together. */
function createLoggers(level: string): { readonly root: PinoLogger; readonly level: LogLevelControl } {
  const children: PinoLogger[] = [];
  const timestamp = pino.stdTimeFunctions.isoTime;
  const root = pino({
    level,
    base: null,
    timestamp,
    onChild: (child: PinoLogger) => void children.push(child),
  });
  return {
    root,
    level: {
      get: () => root.level,
      set: (wanted) => {
        if (!LOG_LEVELS.includes(wanted)) return false;
        for (const logger of [root, ...children]) logger.level = wanted;
        return true;
      },
    },
  };
}

/** The first SIGTERM lets the proxy run empty where it may take so long; a second one, or SIGINT, ends it at once. */
function stopOnSignals(proxy: RunningProxy, drainMs: number, logger: PinoLogger): void {
  let isStopping = false;
  const stop = (reason: string) => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ reason }, "stopping");
    // Workers that wait in the kernel keep process.exit() waiting; nothing keeps this signal waiting.
    setTimeout(() => process.kill(process.pid, "SIGKILL"), STOP_LIMIT_MS).unref();
    void proxy.close();
  };
  process.once("SIGTERM", (signal) => {
    if (drainMs === 0) return stop(signal);
    process.once("SIGTERM", stop);
    proxy
      .drain(drainMs)
      .catch((error: Error) => logger.error({ error: error.message }, "not drained"))
      .finally(() => stop(signal));
  });
  process.once("SIGINT", stop);
  process.once("uncaughtException", (error) => {
    logger.fatal({ error: error.stack }, "a fault of this program");
    process.exitCode = 1;
    stop("fault");
  });
}

function describe(error: unknown): string {
  const isExpected =
    error instanceof BootstrapError || error instanceof ConfigError || error instanceof RangeError;
  if (isExpected) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("must be a whole number from 1.");
  return count;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text === "" || !Number.isInteger(seconds) || seconds < 0 || seconds > MOST_SECONDS)
    throw new InvalidArgumentError(`must be a whole number of seconds up to ${MOST_SECONDS}.`);
  return seconds;
}

function parseAddress(text: string): SocketAddress {
  const match = /^(?:\[(?<six>[^\]]+)\]|(?<four>[^:]+)):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.port);
  if (match === null || port > 65535) throw new InvalidArgumentError("must be an IP address and a port.");
  return { address: match.groups?.six ?? match.groups?.four ?? "", port };
}
