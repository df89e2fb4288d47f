// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Text of protocols, one byte a character: whatever bytes come in go out as they were.

/** The bytes at `address` as text, each a character of the same code. */
export function textAt(address: usize, size: usize): string {
  const text = changetype<string>(__new(size << 1, idof<string>()));
  const to = changetype<usize>(text);
  for (let i: usize = 0; i < size; i++) store<u16>(to + (i << 1), <u16>load<u8>(address + i));
  return text;
}

/** `text` with the letters A to Z in lower case, and nothing else changed. */
export function lowerCase(text: string): string {
  const size = <usize>text.length;
  const lower = changetype<string>(__new(size << 1, idof<string>()));
  const from = changetype<usize>(text);
  const to = changetype<usize>(lower);
  for (let i: usize = 0; i < size << 1; i += 2) {
    const code = load<u16>(from + i);
    store<u16>(to + i, code >= 0x41 && code <= 0x5a ? code | 0x20 : code);
  }
  return lower;
}

/** `text` without the blanks and tabs at its ends. */
export function trimBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return from == 0 && to == text.length ? text : text.substring(from, to);
}

/** The number that `text` is in decimal digits, or -1 where it is none or above `most`. */
export function readDecimal(text: string, most: i64 = i32.MAX_VALUE): i64 {
  if (text.length == 0 || text.length > 15) return -1;
  let value: i64 = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value > most ? -1 : value;
}

/** Splits at every `separator` outside of double quotes, without blanks around the parts. */
export function splitOutsideQuotes(text: string, separator: string): string[] {
  const mark = separator.charCodeAt(0);
  const parts: string[] = [];
  let isQuoted = false;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code == 0x22) isQuoted = !isQuoted;
    if (code != mark || isQuoted) continue;
    parts.push(trimBlanks(text.substring(from, i)));
    from = i + 1;
  }
  parts.push(trimBlanks(text.substring(from)));
  return parts;
}

function isBlank(code: i32): bool {
  return code == 0x20 || code == 0x09;
}
