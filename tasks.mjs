// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// What `npm start`, `npm test` and their like do. Plain Node without a dependency, for it has to run on a fresh
// clone: every command installs and builds first, as far as that is needed, and says so. Nothing changed means
// nothing printed and a fraction of a second.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const OLDEST_NODE = 20;

/** What `tsc -b` and the others read; a change of any file in them means a build. */
const SOURCES = ["xds-protos", "proxy", "filters", "control-plane", "deploy", "conformance"];
/** What they write. Folders of these names are never looked into. */
const OUTPUTS = new Set(["node_modules", "dist", "gen", "build"]);
/** What must exist after a build; who deletes one gets it back. */
const BUILT = [
  "xds-protos/gen",
  "filters/dist/filters.json",
  "proxy/dist/main.js",
  "control-plane/dist/main.js",
  "deploy/dist/index.js",
  "conformance/dist/main.js",
];
const BUILD_STAMP = join(root, ".msm/build.stamp");

const tool = (name) => join(root, "node_modules/.bin", name);
const node = process.execPath;

/** Each command: what it runs after install and build, in order, until one fails. `args` are the user's own. */
const commands = {
  start: (args) => [[node, "deploy/dist/local/main.js", ...args]],
  build: () => [],
  test: (args) => [
    ["lint", tool("biome"), "check"],
    ["test", tool("vitest"), "run", ...args],
  ],
  conformance: (args) => [[node, "conformance/dist/main.js", ...args]],
  soak: (args) => [[node, "conformance/dist/soak/main.js", ...args]],
  bench: (args) => [[node, "conformance/dist/load/main.js", ...args]],
  msm: (args) => [[node, "deploy/dist/cli/main.js", ...args]],
};

/** Commands that read sources alone and need no build. */
const sourceCommands = {
  lint: (args) => [[tool("biome"), "check", ...args]],
  format: (args) => [[tool("biome"), "check", "--write", ...args]],
};

async function main([command, ...args]) {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    return fail(
      `Node ${OLDEST_NODE} or newer is needed; this is ${process.version}. See https://nodejs.org.`,
    );
  }
  const makeSteps = commands[command] ?? sourceCommands[command];
  if (!makeSteps) {
    const names = Object.keys({ ...commands, ...sourceCommands }).join("|");
    return fail(`There is no task ${JSON.stringify(command ?? "")}. Tasks: ${names}.`);
  }
  let code = await ensureInstalled();
  if (code === 0 && command in commands) code = await ensureBuilt();
  for (const step of code === 0 ? makeSteps(args) : []) {
    code = await runStep(step);
    if (code !== 0) break;
  }
  process.exitCode = code;
}

/** Runs `npm ci` where node_modules is missing or older than package-lock.json. */
async function ensureInstalled() {
  const installedAt = modifiedMs(join(root, "node_modules/.package-lock.json"));
  if (installedAt >= modifiedMs(join(root, "package-lock.json"))) return 0;
  const why = installedAt === 0 ? "no node_modules yet" : "package-lock.json changed";
  console.log(`install  ${why}: npm ci, about half a minute`);
  const npm = process.env.npm_execpath ? [node, process.env.npm_execpath] : ["npm"];
  return timed("install", [...npm, "ci"]);
}

/** Generates, compiles and builds the filters, unless no source changed since the last time. */
async function ensureBuilt() {
  const digest = sourceDigest();
  const isBuilt = BUILT.every((path) => existsSync(join(root, path)));
  if (isBuilt && existsSync(BUILD_STAMP) && readFileSync(BUILD_STAMP, "utf8") === digest) return 0;
  rmSync(BUILD_STAMP, { force: true });
  // The compiler believes its own stamps, and does not look whether what it wrote is still there.
  const force = isBuilt ? [] : ["--force"];
  const steps = [
    ["protos", [node, "xds-protos/generate.mjs"]],
    ["compile", [tool("tsc"), "-b", ...force]],
    ["filters", [node, "filters/build.mjs"]],
  ];
  for (const [name, commandLine] of steps) {
    const code = await timed(name, commandLine);
    if (code !== 0) return code;
  }
  mkdirSync(dirname(BUILD_STAMP), { recursive: true });
  writeFileSync(BUILD_STAMP, digest);
  return 0;
}

/** A hash over name, size and time of every source file: some milliseconds, where reading them all takes longer. */
function sourceDigest() {
  const hash = createHash("sha256").update(process.version);
  const add = (path) => {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  };
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !OUTPUTS.has(entry.name)) walk(path);
      // The compiler's own stamps change with every build.
      if (entry.isFile() && !entry.name.endsWith(".tsbuildinfo")) add(path);
    }
  };
  for (const folder of SOURCES) walk(join(root, folder));
  for (const file of ["tsconfig.json", "tsconfig.base.json", "package-lock.json"]) add(join(root, file));
  return hash.digest("hex");
}

/** A step that begins with a plain word has a name and is timed. */
async function runStep([first, ...rest]) {
  if (/^[a-z]+$/.test(first)) return timed(first, rest);
  const script = first === node ? join(root, rest[0]) : first;
  if (!existsSync(script)) {
    fail(`This checkout has no ${rest[0]}.`);
    return 2;
  }
  return run([first, ...rest]);
}

/** Runs a command line and says how long it took. */
async function timed(name, commandLine) {
  const startedAt = Date.now();
  const code = await run(commandLine);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  console.log(`${name.padEnd(8)} ${code === 0 ? "done" : `failed (exit ${code})`} in ${seconds} s`);
  return code;
}

/** Runs a command line in the checkout; resolves with its exit code, 128 and the number for a signal. */
function run([file, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: root, stdio: "inherit" });
    // A terminal sends Ctrl-C to the child as well: then there is only to wait for it. Other signals are for us alone.
    const forward = (signal) => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    };
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, forward);
    const settle = (code) => {
      for (const signal of signals) process.off(signal, forward);
      resolve(code);
    };
    child.on("error", (error) => {
      fail(`${file} could not be started: ${error.message}`);
      settle(127);
    });
    child.on("exit", (code, signal) => settle(code ?? 128 + constants.signals[signal]));
  });
}

function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function fail(line) {
  console.error(line);
  process.exitCode = 1;
}

await main(process.argv.slice(2));
