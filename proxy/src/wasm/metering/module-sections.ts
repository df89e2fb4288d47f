// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { ByteReader } from "./byte-reader.ts";
import { MeteringRefusal } from "./metering-refusal.ts";

/** Sections of the binary format. */
export const SectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

const HEADER_BYTES = 8;
const FUNCTION_TYPE = 0x60;
const FUNCTION_KIND = 0;
const MEMORY_KIND = 2;
const HAS_MAXIMUM = 1;

/** Value types: numbers, v128, funcref and externref. */
const VALUE_TYPES: ReadonlySet<number> = new Set([0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f]);

/** What has to be known of a module before its code can be metered. */
export interface ModuleSections {
  /** The number of parameters of each function type. */
  readonly types: readonly number[];
  /** The type of each function that the module defines. */
  readonly functionTypes: readonly number[];
  readonly importedFunctions: number;
  readonly importedMemories: number;
  readonly globals: number;
  readonly exportNames: ReadonlySet<string>;
  has(id: number): boolean;
  /** A reader over the content of a section; undefined where the module has none. */
  reader(id: number): ByteReader | undefined;
}

/**
 * Finds the sections of a valid module. Custom sections are left out: names of functions would be right still, but
 * nothing else that refers to code. Throws MeteringRefusal for what this host does not know.
 */
export function readSections(bytes: Uint8Array): ModuleSections {
  const ranges = new Map<number, readonly [number, number]>();
  const reader = new ByteReader(bytes, HEADER_BYTES);
  while (!reader.isAtEnd) {
    const id = reader.u8();
    const length = reader.u32();
    const start = reader.at;
    reader.skip(length);
    if (id > SectionId.dataCount)
      refuse(`the module has a section of type ${id}, which is not known to this host`);
    if (id !== SectionId.custom) ranges.set(id, [start, reader.at]);
  }
  const open = (id: number) => {
    const range = ranges.get(id);
    return range && new ByteReader(bytes, ...range);
  };
  const imports = readVector(open(SectionId.import), readImportKind);
  const importedMemories = imports.filter((kind) => kind === MEMORY_KIND).length;
  return {
    types: readVector(open(SectionId.type), readFunctionType),
    functionTypes: readVector(open(SectionId.function), (section) => section.u32()),
    importedFunctions: imports.length - importedMemories,
    importedMemories,
    globals: open(SectionId.global)?.u32() ?? 0,
    exportNames: new Set(readVector(open(SectionId.export), readExportName)),
    has: (id) => ranges.has(id),
    reader: open,
  };
}

function readVector<T>(section: ByteReader | undefined, read: (section: ByteReader) => T): T[] {
  if (section === undefined) return [];
  const items: T[] = [];
  for (let count = section.u32(); count > 0; count--) items.push(read(section));
  return items;
}

/** The number of parameters. */
function readFunctionType(section: ByteReader): number {
  const form = section.u8();
  if (form !== FUNCTION_TYPE)
    refuse(`a type has the form 0x${form.toString(16)}, which is not known to this host`);
  const parameters = skipValueTypes(section);
  skipValueTypes(section);
  return parameters;
}

function skipValueTypes(section: ByteReader): number {
  const count = section.u32();
  for (let i = 0; i < count; i++) {
    const type = section.u8();
    if (!VALUE_TYPES.has(type)) refuse(`the value type 0x${type.toString(16)} is not known to this host`);
  }
  return count;
}

function readImportKind(section: ByteReader): number {
  section.skipBytes();
  section.skipBytes();
  const kind = section.u8();
  if (kind === MEMORY_KIND) {
    const flags = section.u8();
    section.skipNumber();
    if ((flags & HAS_MAXIMUM) !== 0) section.skipNumber();
  } else {
    if (kind !== FUNCTION_KIND)
      refuse("the module imports something that is neither a function nor a memory");
    section.skipNumber();
  }
  return kind;
}

function readExportName(section: ByteReader): string {
  const name = section.name();
  section.skip(1);
  section.skipNumber();
  return name;
}

function refuse(problem: string): never {
  throw new MeteringRefusal(
    "MSM_FILTER_OPCODE",
    `${problem}; build it for the WebAssembly features of this release`,
  );
}
