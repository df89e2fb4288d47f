// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ByteReader } from "./byte-reader.ts";
import { MeteringRefusal } from "./metering-refusal.ts";

/** Opcodes that matter to metering; see the instruction index of the WebAssembly specification. */
export const Opcode = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  call: 0x10,
  localGet: 0x20,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i32LtS: 0x48,
  i32Sub: 0x6b,
  i32ShrU: 0x76,
  refNull: 0xd0,
  bulk: 0xfc,
  vector: 0xfd,
} as const;

/** Opcodes behind the prefix `bulk` whose last operand is a length: their cost is not that of one instruction. */
const LENGTH_OPERANDS: ReadonlySet<number> = new Set([8, 10, 11, 12, 14, 15, 17]);

/** The last opcode behind the prefix `vector`: those of relaxed SIMD. */
const LAST_VECTOR = 0x113;

/** Proposals whose opcodes are recognised only to be refused by name. */
const REFUSED: Readonly<Record<number, string>> = {
  6: "exceptions",
  7: "exceptions",
  8: "exceptions",
  9: "exceptions",
  10: "exceptions",
  24: "exceptions",
  25: "exceptions",
  31: "exceptions",
  20: "typed function references",
  21: "typed function references",
  251: "garbage collection",
  254: "threads",
};

/**
 * Passes over the immediates of an instruction whose opcode was just read. Returns whether its cost depends on a
 * length on top of the stack. Throws MeteringRefusal for opcodes that are not known: what cannot be read cannot be
 * bounded.
 */
export function skipImmediates(reader: ByteReader, opcode: number): boolean {
  if (opcode === Opcode.bulk) return skipBulk(reader);
  if (opcode === Opcode.vector) skipVector(reader);
  else if (opcode >= 0x20 && opcode <= 0x26) reader.skipNumber();
  else if (opcode >= 0x28 && opcode <= 0x3e) skipTwoNumbers(reader);
  else if (opcode <= 0x1c) skipControl(reader, opcode);
  else if (opcode >= 0x3f && opcode <= 0x44) skipConstant(reader, opcode);
  else if (opcode === Opcode.refNull || opcode === 0xd2) reader.skipNumber();
  else if ((opcode < 0x45 || opcode > 0xc4) && opcode !== 0xd1) refuseOpcode(opcode);
  return false;
}

/** Control, calls and parametric instructions: 0x00 to 0x1c. */
function skipControl(reader: ByteReader, opcode: number): void {
  switch (opcode) {
    case 0x02: // block
    case 0x03: // loop
    case 0x04: // if
    case 0x0c: // br
    case 0x0d: // br_if
    case 0x10: // call
    case 0x12: // return_call
      reader.skipNumber();
      break;
    case 0x11: // call_indirect
    case 0x13: // return_call_indirect
      skipTwoNumbers(reader);
      break;
    case 0x0e: // br_table
      for (let labels = reader.u32() + 1; labels > 0; labels--) reader.skipNumber();
      break;
    case 0x1c: // select with types
      for (let types = reader.u32(); types > 0; types--) reader.skipNumber();
      break;
    case 0x00: // unreachable
    case 0x01: // nop
    case 0x05: // else
    case 0x0b: // end
    case 0x0f: // return
    case 0x1a: // drop
    case 0x1b: // select
      break;
    default:
      refuseOpcode(opcode);
  }
}

/** memory.size, memory.grow and the constants: 0x3f to 0x44. */
function skipConstant(reader: ByteReader, opcode: number): void {
  if (opcode === 0x43) reader.skip(4);
  else if (opcode === 0x44) reader.skip(8);
  else reader.skipNumber();
}

function skipBulk(reader: ByteReader): boolean {
  const opcode = reader.u32();
  if (opcode > 17) refuseOpcode(Opcode.bulk, opcode);
  // Saturating conversions have no immediate; copies and initialisations have two; the others one.
  if (opcode >= 8) reader.skipNumber();
  if (opcode === 8 || opcode === 10 || opcode === 12 || opcode === 14) reader.skipNumber();
  return LENGTH_OPERANDS.has(opcode);
}

function skipVector(reader: ByteReader): void {
  const opcode = reader.u32();
  if (opcode > LAST_VECTOR) refuseOpcode(Opcode.vector, opcode);
  if (opcode <= 11 || opcode === 92 || opcode === 93) skipTwoNumbers(reader);
  else if (opcode === 12 || opcode === 13) reader.skip(16);
  else if (opcode >= 21 && opcode <= 34) reader.skip(1);
  else if (opcode >= 84 && opcode <= 91) {
    skipTwoNumbers(reader);
    reader.skip(1);
  }
}

function skipTwoNumbers(reader: ByteReader): void {
  reader.skipNumber();
  reader.skipNumber();
}

function refuseOpcode(opcode: number, second?: number): never {
  const hex = (value: number) => `0x${value.toString(16).padStart(2, "0")}`;
  const name = second === undefined ? hex(opcode) : `${hex(opcode)} ${hex(second)}`;
  const proposal = REFUSED[opcode];
  const why =
    proposal === undefined ? "is not known to this host" : `belongs to ${proposal}, which are not allowed`;
  throw new MeteringRefusal("MSM_FILTER_OPCODE", `opcode ${name} ${why}; build the module without it`);
}
