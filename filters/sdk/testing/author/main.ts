// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// What `msm filter` does: the tools of whoever writes a filter.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compileFolder } from "../compile.mjs";
import { FilterHarness } from "../filter-harness.ts";
import { languageOf } from "../find-languages.mjs";
import { benchFilter } from "./bench-filter.ts";
import { checkContract } from "./contract.ts";
import { newFilter } from "./new-filter.ts";
import { readPcap, writePcap } from "./pcap.ts";
import { runCapture } from "./run-capture.ts";

const FILTERS = fileURLToPath(new URL("../../..", import.meta.url));

/** A datagram of 9,000 bytes and more is rare in a capture, but not in a test. */
const LARGEST = 65_507;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    config: { type: "string", default: "{}" },
    pcap: { type: "string" },
    out: { type: "string" },
    into: { type: "string", default: FILTERS },
    lang: { type: "string", default: "as" },
  },
});
const [command, target = ""] = positionals;

try {
  await run();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function run(): Promise<void> {
  if (target === "") throw new Error(`msm filter ${command ?? ""}: name the filter`);
  if (command === "new")
    return await printNew(await newFilter(target, path.resolve(values.into), values.lang));
  const config: unknown = JSON.parse(values.config);
  const folder = path.resolve(target);
  if (command === "build") return await build(folder);
  if (command === "test") return await test(folder, config);
  if (command === "bench") return await bench(folder, config);
  if (command === "run") return await runPcap(folder, config);
  throw new Error(`msm filter has no "${command}"; there are new, build, test, run and bench`);
}

async function printNew(folder: string): Promise<void> {
  const relative = path.relative(process.cwd(), folder) || ".";
  const language = await languageOf(folder);
  console.log(`${relative} is a filter now. Edit ${path.join(relative, language?.source ?? "")}, then:`);
  console.log(`  npm run msm -- filter test ${relative}`);
  console.log(`  npm run msm -- filter build ${relative}   # and name the result in a WasmFilter: file: …`);
  const missing = (await language?.missing()) ?? null;
  if (missing !== null) console.log(`To compile it you need ${missing}.`);
}

/** Writes the compiled filter beside its source, or to `--out`: what `file` of a WasmFilter names. */
async function build(folder: string): Promise<void> {
  const { bytes, suffix } = await compileFolder(folder);
  const out = path.resolve(values.out ?? path.join(folder, "build", `${path.basename(folder)}${suffix}`));
  await mkdir(path.dirname(out), { recursive: true });
  // The control plane looks at the file at any time: it is there as a whole or not at all.
  await writeFile(`${out}.part`, bytes);
  await rename(`${out}.part`, out);
  console.log(`${path.relative(process.cwd(), out)}: ${bytes.length} bytes`);
}

async function test(folder: string, config: unknown): Promise<void> {
  const results = await checkContract(folder, config);
  for (const { title, problem } of results) {
    console.log(problem === null ? `ok      ${title}` : `FAILED  ${title}: ${problem}`);
  }
  if (results.some(({ problem }) => problem !== null)) process.exitCode = 1;
}

async function bench(folder: string, config: unknown): Promise<void> {
  for (const { what, nsPerDatagram } of await benchFilter(folder, config)) {
    console.log(`${what}: ${nsPerDatagram.toFixed(1)} ns per datagram`);
  }
}

async function runPcap(folder: string, config: unknown): Promise<void> {
  if (values.pcap === undefined) throw new Error("msm filter run: name the capture with --pcap");
  const capture = readPcap(await readFile(values.pcap));
  const filter = await FilterHarness.load(folder, config, { payloadBytes: LARGEST });
  const { steps, out } = runCapture(filter, capture);
  for (const { datagram, what } of steps) {
    const { source, destination, payload } = datagram;
    console.log(`${source} -> ${destination} ${payload.length} bytes: ${what}`);
  }
  for (const { message } of filter.logs) console.log(`log: ${message}`);
  if (values.out !== undefined) await writeFile(values.out, writePcap(out));
  console.log(`${capture.length} datagrams in, ${out.length} out`);
}
