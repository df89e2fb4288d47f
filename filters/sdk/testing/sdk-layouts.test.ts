// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { tableUnder, valuesUnder } from "./abi-document.ts";

const header = await readFile(new URL("../c/msm_filter.h", import.meta.url), "utf8");
const crate = await readFile(new URL("../rust/msm_filter.rs", import.meta.url), "utf8");

const structs = [
  { heading: "`msm_dgram`", c: "msm_dgram", rust: "Datagram" },
  { heading: "`msm_batch`", c: "msm_batch", rust: "Batch" },
  { heading: "`msm_addrs`", c: "msm_addrs", rust: "Addresses" },
  { heading: "`msm_plugin_info`", c: "msm_plugin_info", rust: "PluginInfo" },
] as const;

const BYTES: Readonly<Record<string, number>> = { u8: 1, u16: 2, u32: 4, u64: 8, u8x16: 16 };

/** Fields as `name bytes`, in order; an address is a u32. */
function fieldsOf(text: string, begin: RegExp, field: RegExp): readonly string[] {
  const start = text.search(begin);
  const body = text.slice(start, text.indexOf("}", start));
  return [...body.matchAll(field)].map(({ groups }) => {
    const type = groups!.pointer === "*" ? "u32" : groups!.type!.replace(/uint(\d+)_t/, "u$1");
    return `${groups!.name} ${BYTES[type]! * Number(groups!.count ?? 1)}`;
  });
}

test.each(structs)("the document, C and Rust have the same fields in $c", ({ heading, c, rust }) => {
  const documented = tableUnder(heading).map(([, type, name]) => `${name} ${BYTES[type ?? ""]}`);
  const bodies = header.split("typedef struct {").find((part) => part.includes(`} ${c};`))!;
  const inC = fieldsOf(
    bodies,
    /^/,
    /^ {2}(?:const )?(?<type>\w+) (?<pointer>\*?)(?<name>\w+)(?:\[(?<count>\d+)\])?;/gm,
  );
  const inRust = fieldsOf(
    crate,
    new RegExp(`pub struct ${rust} \\{`),
    /^ {4}(?:pub )?(?<name>\w+): (?<pointer>\*?)(?:mut |const |\[)?(?<type>\w+)(?:; (?<count>\d+)\])?,/gm,
  );
  expect(inC).toEqual(documented);
  expect(inRust).toEqual(documented);
});

test.each([
  ["Flags of `msm_dgram`", ""],
  ["Stages", "STAGE_"],
])("the numbers under %s are those of C and Rust, where they have them", (heading, prefix) => {
  for (const [name, value] of Object.entries(valuesUnder(heading))) {
    const inC = new RegExp(`\\bMSM_${prefix}${name} = (\\w+)`).exec(header)?.[1];
    const inRust = new RegExp(`pub const ${prefix}${name}: u\\d+ = (\\w+);`).exec(crate)?.[1];
    const isNeeded = prefix !== "" || value >= 0x100;
    if (isNeeded || inC !== undefined) expect([name, Number(inC)]).toEqual([name, value]);
    if (isNeeded || inRust !== undefined) expect([name, Number(inRust)]).toEqual([name, value]);
  }
});

test("what C and Rust import is in the document", () => {
  const documented = new Set(tableUnder("What a module may import, from module `env`").map(([name]) => name));
  const inC = [...header.matchAll(/MSM_IMPORT\("(\w+)"\)/g)].map(([, name]) => name);
  const inRust = [...crate.matchAll(/pub fn ((?:proxy|msm)_\w+)\(/g)].map(([, name]) => name);
  expect(inC.length).toBeGreaterThan(10);
  expect(
    [...inC, ...inRust.filter((name) => !crate.includes(`extern "C" fn ${name}`))].filter(
      (name) => !documented.has(name!),
    ),
  ).toEqual([]);
});
