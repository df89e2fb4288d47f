// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { type MeteringIndexes, meterCode, writeChargeFunction, writeRefuelFunction } from "./meter-code.ts";
import { MeteringRefusal } from "./metering-refusal.ts";
import { type ModuleSections, readSections, SectionId } from "./module-sections.ts";
import { writeMemories, writeTables } from "./write-limits.ts";

/** The exports that metering adds; a module may have none of these names. */
export const FUEL_EXPORT = "msm_fuel";
export const REFUEL_EXPORT = "msm_refuel";

/** What an instance may take. */
export interface MeteringLimits {
  /** The most pages of 64 KiB that its memory may have. */
  readonly memoryPages: number;
  /** Instructions until the first refuel: what a start section may use. Below 2^31. */
  readonly startFuel: number;
  /**
   * The most that one entry of a function or turn of a loop costs; as many as there are instructions unless said. For
   * an interpreter, whose loop has ten thousand instructions of which each turn runs a few.
   */
  readonly maxWeight?: number;
  /** Whether the module may import its memory, which the caller then makes and bounds. */
  readonly takesMemory?: boolean;
}

/** The largest fuel that the global can hold. */
const MAX_FUEL = 0x7fff_ffff;

const MAGIC_AND_VERSION = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const FUNCTION_TYPE = 0x60;
const I32 = 0x7f;
const MUTABLE = 1;
const I32_CONST = 0x41;
const END = 0x0b;
const FUNCTION_KIND = 0;
const GLOBAL_KIND = 3;

/**
 * Rewrites a valid module so that its instances can be stopped and cannot grow without bound: every instruction is
 * paid for out of a global, exported as `msm_fuel`, which the exported function `msm_refuel` sets; below zero it
 * traps. Memory and tables get a maximum. Whatever is added stands behind what is there, so that no index changes.
 * Throws MeteringRefusal, or RangeError where the module is malformed.
 */
export function meterModule(bytes: Uint8Array, limits: MeteringLimits): Uint8Array {
  const sections = readSections(bytes);
  for (const name of [FUEL_EXPORT, REFUEL_EXPORT]) {
    if (!sections.exportNames.has(name)) continue;
    throw new MeteringRefusal(
      "MSM_FILTER_OPCODE",
      `the module exports ${name}, a name of the host's; rename it`,
    );
  }
  if (sections.importedMemories > 0 && limits.takesMemory !== true) {
    throw new MeteringRefusal("MSM_FILTER_MEMORY", "the module imports its memory; it has to export one");
  }
  const own = sections.functionTypes.length;
  const charge = sections.importedFunctions + own;
  const indexes = {
    fuel: sections.globals,
    charge,
    firstOwnFunction: sections.importedFunctions,
    maxWeight: limits.maxWeight ?? MAX_FUEL,
  };
  const out = new ByteWriter(bytes.length * 2);
  out.bytes(MAGIC_AND_VERSION);
  writeParts(sections, limits, indexes, out);
  return out.written.slice();
}

function writeParts(
  sections: ModuleSections,
  limits: MeteringLimits,
  indexes: MeteringIndexes,
  out: ByteWriter,
): void {
  const chargeType = sections.types.length;
  const part = new ByteWriter();
  const section = (id: number, write: () => void) => {
    part.clear();
    write();
    out.u8(id);
    out.u32(part.length);
    out.bytes(part.written);
  };
  section(SectionId.type, () => {
    appendTo(part, sections, SectionId.type, 2);
    part.u8(FUNCTION_TYPE, 1, I32, 1, I32);
    part.u8(FUNCTION_TYPE, 1, I32, 0);
  });
  copySection(sections, SectionId.import, out);
  section(SectionId.function, () => {
    appendTo(part, sections, SectionId.function, 2);
    part.u32(chargeType);
    part.u32(chargeType + 1);
  });
  if (sections.has(SectionId.table)) section(SectionId.table, () => writeTables(sections, part));
  if (sections.has(SectionId.memory)) {
    section(SectionId.memory, () => writeMemories(sections, limits.memoryPages, part));
  }
  section(SectionId.global, () => {
    appendTo(part, sections, SectionId.global, 1);
    part.u8(I32, MUTABLE, I32_CONST);
    part.putPadded(part.reservePadded(), limits.startFuel);
    part.u8(END);
  });
  section(SectionId.export, () => {
    appendTo(part, sections, SectionId.export, 2);
    part.name(FUEL_EXPORT);
    part.u8(GLOBAL_KIND);
    part.u32(indexes.fuel);
    part.name(REFUEL_EXPORT);
    part.u8(FUNCTION_KIND);
    part.u32(indexes.charge + 1);
  });
  for (const id of [SectionId.start, SectionId.element, SectionId.dataCount]) copySection(sections, id, out);
  section(SectionId.code, () => writeCode(sections, indexes, part));
  copySection(sections, SectionId.data, out);
}

/** Writes every function body anew, then those of the two functions that metering adds. */
function writeCode(sections: ModuleSections, indexes: MeteringIndexes, out: ByteWriter): void {
  const reader = sections.reader(SectionId.code);
  const body = new ByteWriter();
  const finish = () => {
    out.u32(body.length);
    out.bytes(body.written);
    body.clear();
  };
  const count = reader === undefined ? 0 : reader.u32();
  out.u32(count + 2);
  for (let i = 0; i < count; i++) {
    const end = reader!.u32() + reader!.at;
    const parameters = sections.types[sections.functionTypes[i]!]!;
    meterCode(new ByteReader(reader!.bytes, reader!.at, end), parameters, indexes, body);
    reader!.at = end;
    finish();
  }
  writeChargeFunction(body, indexes.fuel);
  finish();
  writeRefuelFunction(body, indexes.fuel);
  finish();
}

/** Copies the entries of a section that is a vector, and announces `more` behind them. */
function appendTo(out: ByteWriter, sections: ModuleSections, id: number, more: number): void {
  const reader = sections.reader(id);
  out.u32((reader?.u32() ?? 0) + more);
  if (reader !== undefined) out.bytes(reader.bytes.subarray(reader.at, reader.end));
}

function copySection(sections: ModuleSections, id: number, out: ByteWriter): void {
  const reader = sections.reader(id);
  if (reader === undefined) return;
  out.u8(id);
  out.u32(reader.end - reader.at);
  out.bytes(reader.bytes.subarray(reader.at, reader.end));
}
