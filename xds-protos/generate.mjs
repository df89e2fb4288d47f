// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
// Generates gen/ from the protos of the installed packages, the overlay and proto/. `--force` ignores the stamp.
import { fileURLToPath } from "node:url";
import { generate } from "./codegen/generate.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const force = process.argv.includes("--force");

try {
  const { fileCount, isFresh } = generate({ packageDir: here, force });
  console.log(
    isFresh ? "xds-protos: gen/ is up to date" : `xds-protos: generated ${fileCount} files into gen/`,
  );
} catch (error) {
  console.error(`xds-protos: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
