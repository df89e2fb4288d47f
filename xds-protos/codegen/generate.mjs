// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { applyOverlay } from "./apply-overlay.mjs";
import { entries } from "./entries.mjs";
import { inputStamp } from "./input-stamp.mjs";
import { overlay as ownOverlay } from "./overlay.mjs";
import { protoClosure, protosBelow } from "./proto-closure.mjs";
import { shareDescriptors } from "./share-descriptors.mjs";

const require = createRequire(import.meta.url);

/** The folders of the carrier package that are proto roots. */
const CARRIER_ROOTS = ["envoy-api", "xds", "googleapis", "protoc-gen-validate"];

/** The packages whose version decides what is generated. */
const TOOLS = ["@grpc/grpc-js-xds", "@bufbuild/buf", "@bufbuild/protoc-gen-es"];

/**
 * Generates the package's JavaScript and declarations, unless the stamp in `genDir` says that they are up to date.
 * Throws an Error whose message begins with a stable `MSM_PROTOS_…` code; the old output stays when it does.
 * @param {object} options
 * @param {string} options.packageDir The folder of this package.
 * @param {string} [options.protoDir] Our own protos; `proto/` by default.
 * @param {string} [options.buildDir] Where protos are copied; `build/` by default.
 * @param {string} [options.genDir] Where the output goes; `gen/` by default.
 * @param {readonly import("./overlay.mjs").Insertion[]} [options.overlay] Insertions; ours by default.
 * @param {boolean} [options.force] Generate even when nothing changed.
 * @returns {{ readonly fileCount: number, readonly isFresh: boolean }} How many protos; whether there was nothing to do.
 */
export function generate(options) {
  const { packageDir, overlay = ownOverlay, force = false } = options;
  const protoDir = options.protoDir ?? join(packageDir, "proto");
  const buildDir = options.buildDir ?? join(packageDir, "build");
  const genDir = options.genDir ?? join(packageDir, "gen");

  const stampFile = join(genDir, ".stamp");
  const stamp = inputStamp(TOOLS.map(packageFile), protoDir, overlay);
  if (!force && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) {
    return { fileCount: 0, isFresh: true };
  }

  const copied = copyProtos(protoDir, join(buildDir, "proto"));
  applyOverlay(join(buildDir, "proto"), overlay);
  // The output appears whole or not at all: others may be reading gen/ now.
  const freshDir = join(buildDir, `gen-${process.pid}`);
  rmSync(freshDir, { recursive: true, force: true });
  runBuf(join(buildDir, "proto"), freshDir);
  shareDescriptors(freshDir, copied);
  writeFileSync(join(freshDir, ".stamp"), stamp);
  rmSync(genDir, { recursive: true, force: true });
  mkdirSync(dirname(genDir), { recursive: true });
  renameSync(freshDir, genDir);
  return { fileCount: copied.length, isFresh: false };
}

/**
 * @param {string} protoDir
 * @param {string} targetDir
 */
function copyProtos(protoDir, targetDir) {
  const carrier = dirname(packageFile("@grpc/grpc-js-xds"));
  const roots = [protoDir, ...CARRIER_ROOTS.map((root) => join(carrier, "deps", root))];
  const own = protosBelow(protoDir, "");
  const closure = protoClosure(roots, [...own, ...entries]);
  rmSync(targetDir, { recursive: true, force: true });
  for (const [path, file] of closure) {
    mkdirSync(dirname(join(targetDir, path)), { recursive: true });
    // The carrier was packed with CRLF line ends; the overlay's anchors are written with LF.
    writeFileSync(join(targetDir, path), readFileSync(file, "utf8").replaceAll("\r\n", "\n"));
  }
  return [...closure.keys()].sort();
}

/**
 * @param {string} protoDir
 * @param {string} outDir
 */
function runBuf(protoDir, outDir) {
  // Both are started through node, so that neither a postinstall script nor node_modules/.bin is needed.
  const buf = join(dirname(packageFile("@bufbuild/buf")), "bin", "buf");
  const plugin = join(dirname(packageFile("@bufbuild/protoc-gen-es")), "bin", "protoc-gen-es");
  const template = {
    version: "v2",
    // One call of the plugin for all files: a call per folder takes ten times as long.
    plugins: [
      {
        local: [process.execPath, plugin],
        out: outDir,
        opt: ["target=js+dts", "import_extension=js"],
        strategy: "all",
      },
    ],
  };
  const build = ["--exclude-source-info", "--exclude-imports", "-o", join(outDir, "descriptors.binpb")];
  for (const args of [
    ["generate", protoDir, "--template", JSON.stringify(template)],
    ["build", protoDir, ...build],
  ]) {
    const result = spawnSync(process.execPath, [buf, ...args], { encoding: "utf8", cwd: dirname(protoDir) });
    if (result.status !== 0) {
      const reason = `${result.error?.message ?? ""}${result.stderr ?? ""}`;
      throw new Error(`MSM_PROTOS_GENERATE: buf ${args[0]} failed\n${reason}`);
    }
  }
}

/** @param {string} name */
function packageFile(name) {
  try {
    return require.resolve(`${name}/package.json`);
  } catch {
    throw new Error(
      `MSM_PROTOS_TOOL_MISSING: ${name} is not installed. Run npm install with development dependencies.`,
    );
  }
}
