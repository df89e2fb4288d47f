// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { ByteWriter } from "./byte-writer";

const QUOTE: u32 = 0x22;
const COMMA: u32 = 0x2c;
const COLON: u32 = 0x3a;
const BACKSLASH: u32 = 0x5c;

/** Writes JSON from front to back; commas come by themselves. What it wrote is `out`. */
export class JsonWriter {
  readonly out: ByteWriter = new ByteWriter();
  private needsComma: bool = false;

  /** Begins anew. */
  clear(): void {
    this.out.clear();
    this.needsComma = false;
  }

  beginObject(): void {
    this.begin(0x7b);
  }

  endObject(): void {
    this.end(0x7d);
  }

  beginArray(): void {
    this.begin(0x5b);
  }

  endArray(): void {
    this.end(0x5d);
  }

  /** The key of the next value. */
  key(name: string): void {
    this.text(name);
    this.out.byte(COLON);
    this.needsComma = false;
  }

  /** A text of which each character is a byte. */
  text(value: string): void {
    this.separate();
    this.out.byte(QUOTE);
    for (let i = 0; i < value.length; i++) this.character(<u32>value.charCodeAt(i));
    this.out.byte(QUOTE);
  }

  number(value: i64): void {
    this.separate();
    this.out.text(value.toString());
  }

  bool(value: bool): void {
    this.separate();
    this.out.text(value ? "true" : "false");
  }

  /** `key` and `text` in one. */
  textField(name: string, value: string): void {
    this.key(name);
    this.text(value);
  }

  /** `key` and `number` in one. */
  numberField(name: string, value: i64): void {
    this.key(name);
    this.number(value);
  }

  private begin(bracket: u32): void {
    this.separate();
    this.out.byte(bracket);
    this.needsComma = false;
  }

  private end(bracket: u32): void {
    this.out.byte(bracket);
    this.needsComma = true;
  }

  private separate(): void {
    if (this.needsComma) this.out.byte(COMMA);
    this.needsComma = true;
  }

  private character(code: u32): void {
    if (code >= 0x20 && code < 0x7f) {
      if (code == QUOTE || code == BACKSLASH) this.out.byte(BACKSLASH);
      this.out.byte(code);
      return;
    }
    this.out.text("\\u00");
    this.out.byte(hexDigit((code >> 4) & 15));
    this.out.byte(hexDigit(code & 15));
  }
}

function hexDigit(value: u32): u32 {
  return value < 10 ? 0x30 + value : 0x57 + value;
}
