// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { signallingProperties } from "@msm/proxy/signalling";
import {
  Action,
  abi,
  allocatorExports,
  Flag,
  failureKinds,
  msmCalls,
  propertyReaders,
  proxyCalls,
  requiredExports,
  sharingCalls,
  signallingCalls,
  sinkCalls,
  unimplementedCalls,
  Word,
  wasiCalls,
} from "@msm/proxy/wasm";
import { describe, expect, test } from "vitest";
import { abiDocument, tableUnder, valuesUnder } from "./abi-document.ts";
import { compileFolder } from "./compile.mjs";

const FIELD_BYTES: Readonly<Record<string, number>> = {
  ...{ u8: 1, u16: 2, u32: 4, i32: 4, u64: 8, i64: 8 },
  u8x16: 16,
};

/** The structs of the document, with the host's offsets by camel-case name and the SDK's class. */
const structs = [
  { name: "msm_batch", host: abi.BatchField, bytes: abi.BATCH_BYTES, sdk: "Batch" },
  { name: "msm_plugin_info", host: abi.InfoField, bytes: abi.INFO_BYTES, sdk: "PluginInfo" },
  { name: "msm_addrs", host: abi.AddressField, bytes: abi.ADDRESS_BYTES, sdk: "Addresses" },
  { name: "msm_stream", host: abi.StreamField, bytes: abi.STREAM_BYTES, sdk: "StreamInfo" },
  { name: "msm_dgram", host: null, bytes: 64, sdk: "Datagram" },
] as const;

/** The tables of numbers, with the host's and the SDK's names for them. */
const enums = [
  { heading: "Status", host: abi.Status, sdk: null },
  { heading: "Log levels", host: abi.LogLevel, sdk: "LogLevel" },
  { heading: "Metric types", host: abi.MetricType, sdk: "MetricType" },
  { heading: "Features", host: abi.Feature, sdk: null },
  { heading: "Stages", host: abi.Stage, sdk: "Stage" },
  { heading: "Flags of `msm_batch`", host: abi.BatchFlag, sdk: "BatchFlag" },
  { heading: "Flags of `msm_dgram`", host: Flag, sdk: "Flag" },
  { heading: "Actions of `msm_dgram`", host: Action, sdk: "Action" },
  { heading: "Events of streams", host: abi.StreamEvent, sdk: null },
  { heading: "Events of flows", host: abi.FlowNews, sdk: null },
  { heading: "Flags of `msm_stream`", host: abi.StreamFlag, sdk: "StreamFlag" },
] as const;

const offsetsOf = (name: string): [string, number][] =>
  tableUnder(`\`${name}\``).map(([offset, , field]) => [camelCase(field ?? ""), Number(offset)]);

describe.each(structs)("$name", ({ name, host, bytes, sdk }) => {
  test("has fields that follow each other without a gap and fill it", () => {
    let end = 0;
    for (const [offset, type] of tableUnder(`\`${name}\``)) {
      expect(Number(offset)).toBe(end);
      end += FIELD_BYTES[type ?? ""] ?? Number.NaN;
    }
    expect(end).toBe(bytes);
  });

  test("is laid out so in the host", () => {
    const expected = host ?? descriptorOffsets();
    const documented = Object.fromEntries(offsetsOf(name));
    expect(documented).toMatchObject(expected);
    if (host !== null) expect(Object.keys(documented)).toEqual(Object.keys(host));
  });

  test("is laid out so in the SDK", async () => {
    const expressions = offsetsOf(name).map(([field]) => `offsetof<${sdk}>("${field}")`);
    const found = await evaluate(name, sdk, [...expressions, `offsetof<${sdk}>()`]);
    expect(found).toEqual([...offsetsOf(name).map(([, offset]) => offset), bytes]);
  });
});

test.each(enums)("the numbers under $heading are the host's", ({ heading, host }) => {
  const documented = Object.entries(valuesUnder(heading));
  expect(Object.fromEntries(documented.map(([name, value]) => [pascalCase(name), value]))).toEqual(host);
});

test.each(enums.filter((one) => one.sdk !== null))(
  "the numbers under $heading are the SDK's, as far as they are served",
  async ({ heading, sdk }) => {
    const served = tableUnder(heading).filter((row) => row[2] !== "reserved");
    const expressions = served.map(([name]) => `${sdk}.${pascalCase(name ?? "")}`);
    const found = await evaluate(heading.replaceAll(/\W/g, ""), sdk ?? "", expressions);
    expect(found).toEqual(served.map(([, value]) => Number(value)));
  },
);

test("the imports in the document are the host's, the served and the unserved ones", () => {
  const served = tableUnder("What a module may import, from module `env`").map(([name]) => name);
  expect(served).toEqual([...proxyCalls, ...msmCalls, ...sharingCalls, ...sinkCalls]);
  for (const name of [...unimplementedCalls, ...wasiCalls]) expect(abiDocument).toContain(`\`${name}\``);
});

test("the signalling calls and properties in the document are the host's", () => {
  expect(tableUnder("Signalling calls").map(([name]) => name)).toEqual([...signallingCalls]);
  expect(tableUnder("Signalling properties").map(([name]) => name)).toEqual(
    Object.keys(signallingProperties),
  );
});

test("the exports that the document requires are those that the host requires", () => {
  const rows = tableUnder("What a module exports");
  const required = rows.filter((row) => row[2]?.startsWith("required")).map(([name]) => name);
  expect(required.sort()).toEqual([...requiredExports].sort());
  expect(rows.map(([name]) => name)).toEqual(expect.arrayContaining([...allocatorExports]));
});

test("the properties and the kinds of failure in the document are the host's", () => {
  const properties = tableUnder("Properties").map(([name]) => name);
  expect(properties.sort()).toEqual(Object.keys(propertyReaders).sort());
  expect(tableUnder("When a filter fails").map(([name]) => name)).toEqual([...failureKinds]);
});

/** The host counts in words; `len` and `avail` share one. */
function descriptorOffsets(): Record<string, number> {
  const inWords = {
    data: Word.data,
    len: Word.length,
    session: Word.session,
    flags: Word.flags,
    rxNs: Word.rxLow,
    action: Word.action,
    target: Word.target,
    txNs: Word.txLow,
    mark: Word.mark,
    addrs: Word.addresses,
    user: Word.userLow,
  };
  return Object.fromEntries(Object.entries(inWords).map(([field, word]) => [field, word * 4]));
}

/** Compiles constant expressions over something that the SDK exports, and returns their values. */
async function evaluate(name: string, imported: string, expressions: readonly string[]): Promise<number[]> {
  const folder = path.join(fileURLToPath(new URL("../build", import.meta.url)), name);
  const lines = expressions.map(
    (expression, i) => `export function v${i}(): i32 { return <i32>${expression}; }`,
  );
  const source = `import { ${imported} } from "@msm/filter-sdk/assembly";\n${lines.join("\n")}\n`;
  await mkdir(path.join(folder, "assembly"), { recursive: true });
  await writeFile(path.join(folder, "assembly/index.ts"), source);
  const { bytes } = await compileFolder(folder);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: unusedImports() });
  return expressions.map((_, i) => (exports[`v${i}`] as unknown as () => number)());
}

/** The SDK's imports that the compiler could not remove. */
function unusedImports(): WebAssembly.ModuleImports {
  return Object.fromEntries([...proxyCalls, ...msmCalls, ...sharingCalls].map((name) => [name, () => 0]));
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function pascalCase(name: string): string {
  return name.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
