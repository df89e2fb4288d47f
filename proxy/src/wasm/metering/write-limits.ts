// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ByteWriter } from "./byte-writer.ts";
import { MeteringRefusal } from "./metering-refusal.ts";
import { type ModuleSections, SectionId } from "./module-sections.ts";

/** Entries of all tables together: functions that are called by pointer. A Rust module of 145 KB has 300. */
const MAX_TABLE_ENTRIES = 65_536;

/** Bits of the flags of limits. */
const HAS_MAXIMUM = 1;

/** Types of what a table holds. */
const FUNCTION_REFERENCE = 0x70;
const EXTERNAL_REFERENCE = 0x6f;

/** Writes the memory section with a maximum of at most `maxPages`. Throws MeteringRefusal where it begins larger. */
export function writeMemories(sections: ModuleSections, maxPages: number, out: ByteWriter): void {
  const reader = sections.reader(SectionId.memory)!;
  const count = reader.u32();
  if (count > 1) refuse("the module has several memories; it may have one");
  out.u32(count);
  for (let i = 0; i < count; i++) {
    const flags = reader.u8();
    if (flags > HAS_MAXIMUM)
      refuse("its memory is shared or has 64-bit addresses; build it for plain wasm32");
    const initial = reader.u32();
    const maximum = (flags & HAS_MAXIMUM) === 0 ? maxPages : Math.min(reader.u32(), maxPages);
    if (initial > maxPages) {
      refuse(`its memory begins with ${initial} pages of 64 KiB; at most ${maxPages} are allowed`);
    }
    out.u8(HAS_MAXIMUM);
    out.u32(initial);
    out.u32(maximum);
  }
}

/** Writes the table section with a maximum for each table. Throws MeteringRefusal where they begin too large. */
export function writeTables(sections: ModuleSections, out: ByteWriter): void {
  const reader = sections.reader(SectionId.table)!;
  const count = reader.u32();
  const share = Math.floor(MAX_TABLE_ENTRIES / Math.max(1, count));
  out.u32(count);
  for (let i = 0; i < count; i++) {
    const type = reader.u8();
    if (type !== FUNCTION_REFERENCE && type !== EXTERNAL_REFERENCE)
      refuse("a table holds something unknown to this host");
    out.u8(type);
    const flags = reader.u8();
    const initial = reader.u32();
    const maximum = (flags & HAS_MAXIMUM) === 0 ? share : Math.min(reader.u32(), share);
    if (initial > share) refuse(`a table begins with ${initial} entries; at most ${share} are allowed`);
    out.u8(HAS_MAXIMUM);
    out.u32(initial);
    out.u32(maximum);
  }
}

function refuse(problem: string): never {
  throw new MeteringRefusal("MSM_FILTER_MEMORY", problem);
}
