// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { Command, InvalidArgumentError, Option } from "commander";
import { systemClock } from "./clock.ts";
import { ControlPlaneState } from "./control-plane-state.ts";
import type { Logger } from "./logger.ts";
import { refusalLine } from "./refusal.ts";
import type { TlsFiles } from "./server/tls-credentials.ts";
import { SnapshotCache } from "./snapshot/snapshot-cache.ts";
import { loadSource } from "./sources/load-source.ts";
import { type ControlPlaneOptions, startControlPlane } from "./start-control-plane.ts";
import { configDump } from "./status/config-dump.ts";

/** What the command line needs from the process around it. */
export interface CommandContext {
  print(line: string): void;
  createLogger(level: string): Logger;
  setExitCode(code: number): void;
  /** Resolves when the process is asked to end. */
  stopRequested(): Promise<void>;
}

const levels = ["debug", "info", "warn", "error"];

/** Builds the command line: running is the default, `validate` and `translate` look at files and end. */
export function createCommand(context: CommandContext): Command {
  const command = new Command("msm-control-plane")
    .description(
      "Reads mesh resources, turns them into Envoy v3 configuration and serves it to proxies over xDS.",
    )
    .option("--source <name>", "where resources come from: the name of a source", "file")
    .option("--config <path>", "YAML file with resources, or a folder of such files; followed while running")
    .option(
      "--xds-address <host:port>",
      "where proxies connect in plain text (gRPC); port 0 takes a free one; 127.0.0.1:15010 without TLS",
      address,
    )
    .option("--xds-tls-address <host:port>", "where proxies connect over TLS, such as 0.0.0.0:15012", address)
    .option("--xds-tls-cert <file>", "PEM file with the server's certificate; read again when it changes")
    .option("--xds-tls-key <file>", "PEM file with its private key")
    .option("--xds-tls-ca <file>", "PEM file with the authorities of proxies: each has to show a certificate")
    .option(
      "--xds-max-connection-age <seconds>",
      "send proxies to another replica after about so long",
      seconds,
    )
    .option("--xds-streams-per-peer <count>", "streams of one address or identity; 10000 by default", count)
    .option("--http-address <host:port>", "metrics, readiness and debugging", address, "127.0.0.1:15014")
    .addOption(new Option("--log-level <level>", "how much to log").choices(levels).default("info"))
    .action((options: RunOptions) => run(options, context));
  command
    .command("validate")
    .description("Check resources as the control plane would, and end: 0 if all are accepted, 1 if not.")
    .argument("<path>", "YAML file or folder")
    .action((path: string) => validate(path, context));
  command
    .command("translate")
    .description("Print the Envoy v3 resources made from a file or folder, as JSON.")
    .argument("<path>", "YAML file or folder")
    .addOption(
      new Option("--profile <name>", "for which kind of proxy")
        .choices(["mesh", "mesh-envoy"])
        .default("mesh"),
    )
    .action((path: string, { profile }: { profile: string }) => translate(path, profile, context));
  return command.addHelpText("after", examples);
}

const examples = `
Examples:
  $ msm-control-plane --config deploy/local/mesh.yaml
  $ msm-control-plane --config ./mesh --xds-address 127.0.0.1:0 --http-address 127.0.0.1:0
  $ msm-control-plane --config ./mesh --xds-tls-address 0.0.0.0:15012 --xds-tls-cert tls.crt --xds-tls-key tls.key \\
      --xds-tls-ca ca.crt
  $ msm-control-plane validate ./mesh
  $ msm-control-plane translate deploy/local/mesh.yaml --profile mesh-envoy

While it runs, edit the files: a change reaches the proxies within a second. What is refused is logged with its
file, line and a code, shown at http://127.0.0.1:15014/debug/resources, and leaves the last good form in force.`;

interface RunOptions {
  readonly source: string;
  readonly config?: string;
  readonly xdsAddress?: string;
  readonly xdsTlsAddress?: string;
  readonly xdsTlsCert?: string;
  readonly xdsTlsKey?: string;
  readonly xdsTlsCa?: string;
  readonly xdsMaxConnectionAge?: number;
  readonly xdsStreamsPerPeer?: number;
  readonly httpAddress: string;
  readonly logLevel: string;
}

async function run(options: RunOptions, context: CommandContext): Promise<void> {
  const logger = context.createLogger(options.logLevel);
  const { source, config, httpAddress } = options;
  if (config === undefined)
    throw new Error("say with --config PATH where the mesh resources are; see --help");
  const plane = await startControlPlane({ source, config, httpAddress, logger, ...xdsOptions(options) });
  const { xdsAddress: xds, xdsTlsAddress: xdsTls, httpAddress: http } = plane;
  logger.info({ xds, xdsTls, http }, "listening");
  await context.stopRequested();
  await plane.close();
  logger.info({}, "stopped");
}

function xdsOptions(options: RunOptions): Partial<ControlPlaneOptions> {
  const { xdsAddress, xdsTlsAddress, xdsMaxConnectionAge, xdsStreamsPerPeer } = options;
  return {
    ...(xdsAddress === undefined ? {} : { xdsAddress }),
    ...(xdsTlsAddress === undefined ? {} : { xdsTls: { address: xdsTlsAddress, files: tlsFiles(options) } }),
    ...(xdsMaxConnectionAge === undefined ? {} : { maxConnectionAgeMs: xdsMaxConnectionAge * 1000 }),
    ...(xdsStreamsPerPeer === undefined ? {} : { maxStreamsPerPeer: xdsStreamsPerPeer }),
  };
}

function tlsFiles({ xdsTlsCert, xdsTlsKey, xdsTlsCa }: RunOptions): TlsFiles {
  if (xdsTlsCert === undefined || xdsTlsKey === undefined)
    throw new Error("--xds-tls-address needs --xds-tls-cert FILE and --xds-tls-key FILE");
  const clientAuthorities = xdsTlsCa === undefined ? {} : { clientAuthorities: xdsTlsCa };
  return { certificate: xdsTlsCert, privateKey: xdsTlsKey, ...clientAuthorities };
}

async function validate(path: string, context: CommandContext): Promise<void> {
  const { plane } = await readOnce(path);
  const { statuses, refusals } = plane.state!;
  for (const refusal of refusals) context.print(refusalLine(refusal));
  if (refusals.length > 0) context.setExitCode(1);
  else context.print(`OK: ${statuses.length} resources`);
}

async function translate(path: string, group: string, context: CommandContext): Promise<void> {
  const { plane, cache } = await readOnce(path);
  const snapshot = cache.get(group);
  for (const refusal of plane.state!.refusals) context.print(refusalLine(refusal));
  if (plane.state!.refusals.length > 0 || snapshot === undefined) context.setExitCode(1);
  else context.print(JSON.stringify(configDump(snapshot), null, 2));
}

async function readOnce(path: string): Promise<{ plane: ControlPlaneState; cache: SnapshotCache }> {
  const cache = new SnapshotCache();
  const plane = new ControlPlaneState(cache);
  const source = await loadSource("file", { config: path, clock: systemClock });
  plane.apply(await source.read());
  return { plane, cache };
}

function address(text: string): string {
  const port = Number(/^.+:([0-9]{1,5})$/.exec(text)?.[1] ?? Number.NaN);
  if (port >= 0 && port <= 65_535) return text;
  throw new InvalidArgumentError("write host:port, such as 127.0.0.1:15010.");
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1e6) return value;
  throw new InvalidArgumentError("write seconds, such as 1800.");
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("write a whole number above 0.");
}
