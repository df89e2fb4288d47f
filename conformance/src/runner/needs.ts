// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Need } from "./suite.ts";

const FIND_TIMEOUT_MS = 30_000;
const INSTALL_TIMEOUT_MS = 600_000;

/** The command that installs Debian packages without what they merely recommend. */
export function installCommand(packages: readonly string[]): string {
  return `apt-get install -y --no-install-recommends ${packages.join(" ")}`;
}

const pipFolder = fileURLToPath(new URL("../../build/pip", import.meta.url));

/** The command that unpacks wheels of PyPI where no system's Python sees them. */
export function wheelCommand(wheels: readonly string[]): string {
  return `/usr/bin/python3 -m pip install --quiet --no-deps --target ${pipFolder} ${wheels.join(" ")}`;
}

/** The command lines that bring peers, in order. */
export function installCommands(needs: readonly Need[]): readonly string[] {
  const packages = [...new Set(needs.flatMap((need) => need.packages))];
  const wheels = [...new Set(needs.flatMap(({ wheel }) => wheel ?? []))];
  return [
    ...(packages.length > 0 ? [installCommand(packages)] : []),
    ...(wheels.length > 0 ? [wheelCommand(wheels)] : []),
  ];
}

/** Whether a peer is on this machine. */
export function isThere(need: Need): boolean {
  const [command, ...args] = need.find;
  return spawnSync(command, args, { stdio: "ignore", timeout: FIND_TIMEOUT_MS }).status === 0;
}

/** Whether this run installs what is missing by itself: in continuous integration, as root. */
export function mayInstall(env: NodeJS.ProcessEnv = process.env, uid = process.getuid?.()): boolean {
  return env.CI === "true" && uid === 0;
}

/** Installs peers; returns what went wrong, or undefined. */
export function install(needs: readonly Need[]): string | undefined {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const line of ["apt-get update -q", ...installCommands(needs)]) {
    const result = spawnSync("/bin/sh", ["-c", line], { env, encoding: "utf8", timeout: INSTALL_TIMEOUT_MS });
    if (result.status !== 0)
      return `${line}: ${(result.stderr || "it did not end in time").trim().split("\n").at(-1)}`;
  }
  return undefined;
}
