// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

const COLON: u8 = 0x3a;
const DOT: u8 = 0x2e;
const OPEN_BRACKET: u8 = 0x5b;
const CLOSE_BRACKET: u8 = 0x5d;

/** What stands before an IPv4 address in 128 bits (RFC 4291 section 2.5.5.2). */
const V4_MAPPED: u64 = 0x0000_ffff_0000_0000;

/** Reads IP addresses from text, as 128 bits; leaves no memory behind. */
export class AddressReader {
  high: u64 = 0;
  low: u64 = 0;
  port: u32 = 0;
  isV4: bool = false;
  private readonly groups: StaticArray<u16> = new StaticArray<u16>(8);

  /** Reads `ip:port` or `[ip]:port`. False where it is neither. */
  read(from: usize, to: usize): bool {
    let colon = to;
    while (colon > from && load<u8>(colon - 1) != COLON) colon--;
    if (colon == from || colon == to) return false;
    this.port = 0;
    for (let at = colon; at < to; at++) {
      const digit = <u32>load<u8>(at) - 0x30;
      if (digit > 9 || this.port > 6_553) return false;
      this.port = this.port * 10 + digit;
    }
    const end = colon - 1;
    if (load<u8>(from) != OPEN_BRACKET) return this.readAddress(from, end);
    return load<u8>(end - 1) == CLOSE_BRACKET && this.readAddress(from + 1, end - 1);
  }

  /** Reads an IPv4 or an IPv6 address. False where it is neither. */
  readAddress(from: usize, to: usize): bool {
    for (let at = from; at < to; at++) if (load<u8>(at) == COLON) return this.readV6(from, to);
    return this.readV4(from, to);
  }

  private readV4(from: usize, to: usize): bool {
    let address: u64 = 0;
    let octet: u32 = 0;
    let digits = 0;
    let dots = 0;
    for (let at = from; at < to; at++) {
      const byte = load<u8>(at);
      if (byte == DOT) {
        if (digits == 0) return false;
        address = (address << 8) | octet;
        octet = 0;
        digits = 0;
        dots++;
        continue;
      }
      const digit = <u32>byte - 0x30;
      octet = octet * 10 + digit;
      if (digit > 9 || octet > 255 || ++digits > 3) return false;
    }
    if (dots != 3 || digits == 0) return false;
    this.isV4 = true;
    this.high = 0;
    this.low = V4_MAPPED | (address << 8) | octet;
    return true;
  }

  /** RFC 4291 section 2.2, forms 1 and 2; an IPv4 address at the end is not read. */
  private readV6(from: usize, to: usize): bool {
    const groups = this.groups;
    groups.fill(0);
    let count = 0;
    let gap = -1;
    let at = from;
    while (at < to) {
      if (load<u8>(at) == COLON) {
        const isDouble = at + 1 < to && load<u8>(at, 1) == COLON;
        if (isDouble) {
          if (gap >= 0) return false;
          gap = count;
          at += 2;
          continue;
        }
        // One colon stands between two groups.
        if (at == from || at + 1 == to) return false;
        at++;
      }
      let group: u32 = 0;
      let digits = 0;
      for (; at < to && load<u8>(at) != COLON; at++) {
        const digit = hexDigit(load<u8>(at));
        if (digit > 15 || ++digits > 4) return false;
        group = (group << 4) | digit;
      }
      if (digits == 0 || count == 8) return false;
      groups[count++] = <u16>group;
    }
    if (gap < 0 ? count != 8 : count > 7) return false;
    if (gap >= 0) spread(groups, gap, count);
    this.isV4 = false;
    this.high = join(groups, 0);
    this.low = join(groups, 4);
    return true;
  }
}

/** Moves the groups behind the gap to the end. */
function spread(groups: StaticArray<u16>, gap: i32, count: i32): void {
  for (let i = 0; i < count - gap; i++) {
    groups[7 - i] = groups[count - 1 - i];
    groups[count - 1 - i] = 0;
  }
}

function join(groups: StaticArray<u16>, from: i32): u64 {
  let value: u64 = 0;
  for (let i = 0; i < 4; i++) value = (value << 16) | <u64>groups[from + i];
  return value;
}

/** The value of a hexadecimal digit; above 15 where it is none. */
function hexDigit(byte: u8): u32 {
  if (byte >= 0x30 && byte <= 0x39) return <u32>byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? <u32>lower - 0x61 + 10 : 255;
}
