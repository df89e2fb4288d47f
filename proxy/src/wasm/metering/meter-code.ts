// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { Opcode, skipImmediates } from "./skip-immediates.ts";

/** `i32` and the empty block type in the binary format. */
const I32 = 0x7f;
const EMPTY = 0x40;

/** A call out of the module costs the host tens of nanoseconds. */
const HOST_CALL_WEIGHT = 20;

/** Growing a memory replaces the host's views on it. */
const GROW_WEIGHT = 1_000;

/** Where the metering's own parts are in the index spaces of the module. */
export interface MeteringIndexes {
  /** The global with what is left. */
  readonly fuel: number;
  /** The function that charges for a length on top of the stack and leaves it there. */
  readonly charge: number;
  /** Functions below this one are imported. */
  readonly firstOwnFunction: number;
  /** The most that one visit of a place costs. */
  readonly maxWeight: number;
}

/** Instructions that run at most once between two visits of the place where they are charged. */
interface Region {
  /** Where in the output the weight belongs. */
  readonly weightAt: number;
  weight: number;
}

/**
 * Copies one function body, locals and instructions, and charges for it: at its entry for all instructions outside
 * of loops, and at the head of each loop for those of its body outside of loops within. Only loops can be jumped
 * back to, so that no instruction runs without having been paid for. `parameters` is their number.
 */
export function meterCode(
  reader: ByteReader,
  parameters: number,
  indexes: MeteringIndexes,
  out: ByteWriter,
): void {
  const left = copyLocals(reader, parameters, out);
  let copied = reader.at;
  const flush = () => {
    out.bytes(reader.bytes.subarray(copied, reader.at));
    copied = reader.at;
  };
  const regions = [writeCharge(out, indexes.fuel, left)];
  while (!reader.isAtEnd) {
    const before = reader.at;
    const opcode = reader.u8();
    const region = regions.at(-1)!;
    region.weight += 1;
    if (opcode === Opcode.call) {
      const target = reader.u32();
      if (target < indexes.firstOwnFunction) region.weight += HOST_CALL_WEIGHT;
    } else if (skipImmediates(reader, opcode)) {
      // The length is on top of the stack before the instruction.
      out.bytes(reader.bytes.subarray(copied, before));
      copied = before;
      out.u8(Opcode.call);
      out.u32(indexes.charge);
    }
    if (opcode === Opcode.memoryGrow) region.weight += GROW_WEIGHT;
    else if (opcode === Opcode.block || opcode === Opcode.if) regions.push(region);
    else if (opcode === Opcode.end) closeRegion(regions, indexes.maxWeight, out);
    else if (opcode === Opcode.loop) {
      flush();
      regions.push(writeCharge(out, indexes.fuel, left));
    }
  }
  flush();
}

/** The body of the function that charges for a length: an eighth of it, for bytes are copied 8 at a time or faster. */
export function writeChargeFunction(out: ByteWriter, fuel: number): void {
  out.u8(1, 1, I32);
  out.u8(Opcode.globalGet);
  out.u32(fuel);
  out.u8(Opcode.localGet, 0, Opcode.i32Const, 3, Opcode.i32ShrU, Opcode.i32Sub, Opcode.localTee, 1);
  writeCheck(out, fuel, 1);
  out.u8(Opcode.localGet, 0, Opcode.end);
}

/** The body of the function that sets what is left. */
export function writeRefuelFunction(out: ByteWriter, fuel: number): void {
  out.u8(0, Opcode.localGet, 0, Opcode.globalSet);
  out.u32(fuel);
  out.u8(Opcode.end);
}

/** Copies the locals and adds one i32. Returns its index. */
function copyLocals(reader: ByteReader, parameters: number, out: ByteWriter): number {
  const groups = reader.u32();
  const start = reader.at;
  let locals = parameters;
  for (let i = 0; i < groups; i++) {
    locals += reader.u32();
    reader.skip(1);
  }
  out.u32(groups + 1);
  out.bytes(reader.bytes.subarray(start, reader.at));
  out.u8(1, I32);
  return locals;
}

function writeCharge(out: ByteWriter, fuel: number, left: number): Region {
  out.u8(Opcode.globalGet);
  out.u32(fuel);
  out.u8(Opcode.i32Const);
  const weightAt = out.reservePadded();
  out.u8(Opcode.i32Sub, Opcode.localTee);
  out.u32(left);
  writeCheck(out, fuel, left);
  return { weightAt, weight: 0 };
}

/** Stores what is left, which is on the stack and in a local, and traps where it is below zero. */
function writeCheck(out: ByteWriter, fuel: number, left: number): void {
  out.u8(Opcode.globalSet);
  out.u32(fuel);
  out.u8(Opcode.localGet);
  out.u32(left);
  out.u8(Opcode.i32Const, 0, Opcode.i32LtS, Opcode.if, EMPTY, Opcode.unreachable, Opcode.end);
}

function closeRegion(regions: Region[], maxWeight: number, out: ByteWriter): void {
  const closed = regions.pop()!;
  // A block shares its region with what is around it; the last one to leave knows the whole weight.
  if (regions.at(-1) !== closed) out.putPadded(closed.weightAt, Math.min(closed.weight, maxWeight));
}
