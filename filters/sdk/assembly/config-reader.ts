// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Bytes } from "./host";

/** Objects and arrays inside one another, at most. */
const MAX_DEPTH: i32 = 16;

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const BACKSLASH: u8 = 0x5c;
const OPEN_BRACE: u8 = 0x7b;
const CLOSE_BRACE: u8 = 0x7d;
const OPEN_BRACKET: u8 = 0x5b;
const CLOSE_BRACKET: u8 = 0x5d;

/**
 * Reads a JSON configuration from front to back. After the first mistake every method does nothing and answers
 * with an empty value; look at `problem` at the end. It allocates strings: use it in `configure` only.
 *
 * ```
 * const config = new ConfigReader(configuration());
 * config.beginObject();
 * while (config.nextKey()) {
 *   if (config.key == "limit") limit = <u32>config.readNumber();
 *   else config.fail("unknown field " + config.key);
 * }
 * config.end();
 * ```
 */
export class ConfigReader {
  /** What is wrong, with the place; empty while nothing is. */
  problem: string = "";
  /** The key that `nextKey` found. */
  key: string = "";
  private at: usize;
  private readonly start: usize;
  private readonly limit: usize;
  private needsComma: bool = false;

  constructor(text: Bytes) {
    this.start = text.address;
    this.at = text.address;
    this.limit = text.address + text.size;
  }

  /** Notes a mistake; the first one counts. */
  fail(problem: string): void {
    if (this.problem.length > 0) return;
    this.problem = "byte " + (this.at - this.start).toString() + ": " + problem;
    this.at = this.limit;
  }

  /** Whether there is anything but white space. */
  isEmpty(): bool {
    return this.peek() == 0;
  }

  beginObject(): void {
    this.expect(OPEN_BRACE, "an object is expected");
    this.needsComma = false;
  }

  /** Goes to the next member of the object and reads its key; false at the object's end. */
  nextKey(): bool {
    if (this.peek() == CLOSE_BRACE) {
      this.at++;
      this.needsComma = true;
      return false;
    }
    if (this.needsComma) this.expect(COMMA, "a comma or a closing brace is expected");
    this.key = this.readString();
    this.expect(COLON, "a colon is expected");
    return this.problem.length == 0;
  }

  beginArray(): void {
    this.expect(OPEN_BRACKET, "an array is expected");
    this.needsComma = false;
  }

  /** Goes to the next item of the array, to be read next; false at the array's end. */
  nextItem(): bool {
    if (this.peek() == CLOSE_BRACKET) {
      this.at++;
      this.needsComma = true;
      return false;
    }
    if (this.needsComma) this.expect(COMMA, "a comma or a closing bracket is expected");
    return this.problem.length == 0;
  }

  readBool(): bool {
    if (this.takeWord("true")) return true;
    if (!this.takeWord("false")) this.fail("true or false is expected");
    return false;
  }

  /** A number, 0 where there is none. */
  readNumber(): f64 {
    this.peek();
    const from = this.at;
    while (this.at < this.limit && isNumberByte(load<u8>(this.at))) this.at++;
    const value = F64.parseFloat(String.UTF8.decodeUnsafe(from, this.at - from));
    this.needsComma = true;
    if (from == this.at || isNaN(value)) {
      this.fail("a number is expected");
      return 0;
    }
    return value;
  }

  readString(): string {
    this.expect(QUOTE, "a string is expected");
    let text = "";
    let from = this.at;
    while (this.at < this.limit && load<u8>(this.at) != QUOTE) {
      if (load<u8>(this.at) == BACKSLASH) {
        text += String.UTF8.decodeUnsafe(from, this.at - from) + this.readEscape();
        from = this.at;
      } else {
        this.at++;
      }
    }
    text += String.UTF8.decodeUnsafe(from, this.at - from);
    this.expect(QUOTE, "the string does not end");
    this.needsComma = true;
    return text;
  }

  /** Passes over a value of any kind. */
  skipValue(depth: i32 = 0): void {
    if (depth == MAX_DEPTH) {
      this.fail("too deep");
      return;
    }
    const next = this.peek();
    if (next == QUOTE) {
      this.readString();
    } else if (next == OPEN_BRACE) {
      this.beginObject();
      while (this.nextKey()) this.skipValue(depth + 1);
    } else if (next == OPEN_BRACKET) {
      this.skipArray(depth);
    } else if (next == 0x74 || next == 0x66) {
      this.readBool();
    } else if (next != 0x6e || !this.takeWord("null")) {
      this.readNumber();
    }
  }

  /** To be called last: nothing may follow the value. */
  end(): void {
    if (this.peek() != 0) this.fail("the end is expected");
  }

  private skipArray(depth: i32): void {
    this.expect(OPEN_BRACKET, "an array is expected");
    this.needsComma = false;
    while (this.problem.length == 0 && this.peek() != CLOSE_BRACKET) {
      if (this.needsComma) this.expect(COMMA, "a comma or a closing bracket is expected");
      this.skipValue(depth + 1);
    }
    this.expect(CLOSE_BRACKET, "the array does not end");
    this.needsComma = true;
  }

  /** The next byte after white space, 0 at the end. */
  private peek(): u8 {
    while (this.at < this.limit && load<u8>(this.at) <= 0x20) this.at++;
    return this.at < this.limit ? load<u8>(this.at) : 0;
  }

  private expect(byte: u8, problem: string): void {
    if (this.peek() == byte) this.at++;
    else this.fail(problem);
  }

  private takeWord(word: string): bool {
    this.peek();
    if (this.at + <usize>word.length > this.limit) return false;
    for (let i = 0; i < word.length; i++) {
      if (load<u8>(this.at + i) != <u8>word.charCodeAt(i)) return false;
    }
    this.at += word.length;
    this.needsComma = true;
    return true;
  }

  private readEscape(): string {
    if (this.at + 2 > this.limit) {
      this.fail("the string does not end");
      return "";
    }
    const letter = load<u8>(this.at, 1);
    this.at += 2;
    if (letter == 0x75) return this.readUnicodeEscape();
    if (letter == QUOTE || letter == BACKSLASH || letter == 0x2f) return String.fromCharCode(letter);
    const index = "bfnrt".indexOf(String.fromCharCode(letter));
    if (index < 0) this.fail("unknown escape in a string");
    return "\b\f\n\r\t".charAt(index);
  }

  private readUnicodeEscape(): string {
    let code: i32 = 0;
    for (let i = 0; i < 4; i++, this.at++) {
      const digit = this.at < this.limit ? hexDigit(load<u8>(this.at)) : -1;
      if (digit < 0) {
        this.fail("four hexadecimal digits are expected");
        return "";
      }
      code = (code << 4) | digit;
    }
    return String.fromCharCode(code);
  }
}

function isNumberByte(byte: u8): bool {
  const isDigit = byte >= 0x30 && byte <= 0x39;
  // Plus, minus, point, and the exponent's letters.
  return isDigit || byte == 0x2b || byte == 0x2d || byte == 0x2e || byte == 0x45 || byte == 0x65;
}

function hexDigit(byte: u8): i32 {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
