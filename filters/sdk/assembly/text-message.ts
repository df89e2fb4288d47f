// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { lowerCase, readDecimal, textAt, trimBlanks } from "./text";

/** Fields that a message may have; a real one has a dozen. */
const MAX_FIELDS: i32 = 128;

/** A request or a response of a protocol that is shaped as HTTP/1.1: RTSP, SIP. */
export class TextMessage {
  /** A request's method, empty in a response. */
  method: string = "";
  /** A request's URI: printable ASCII. */
  uri: string = "";
  /** A response's status, 0 in a request. */
  status: i32 = 0;
  reason: string = "";
  /** As `RTSP/1.0`. */
  version: string = "";
  /** Names of the fields in lower case. */
  readonly names: string[] = [];
  /** Values of the fields, unfolded, without blanks around them. */
  readonly values: string[] = [];
  body: string = "";

  get isRequest(): bool {
    return this.status == 0;
  }

  /** Value of the first field of a name in lower case; empty where there is none. */
  field(name: string): string {
    const index = this.names.indexOf(name);
    return index < 0 ? "" : this.values[index];
  }

  has(name: string): bool {
    return this.names.includes(name);
  }

  /** Reads the head between two addresses, and says what is wrong with it; empty where nothing is. */
  readHead(from: usize, to: usize, protocol: string): string {
    let at = from;
    let isFirst = true;
    while (at < to) {
      let end = at;
      while (end < to && load<u8>(end) != 0x0a) end++;
      const next = end + 1;
      if (end > at && load<u8>(end - 1) == 0x0d) end--;
      if (end == at) break;
      if (!isClean(at, end)) return "a control character in the head";
      const line = textAt(at, end - at);
      const problem = isFirst ? this.readStartLine(line, protocol + "/") : this.readField(line);
      if (problem.length > 0) return problem;
      isFirst = false;
      at = next;
    }
    return "";
  }

  private readStartLine(line: string, protocol: string): string {
    const first = line.indexOf(" ");
    if (first < 1) return "this is no " + protocol + " message";
    if (line.startsWith(protocol)) {
      this.version = line.substring(0, first);
      this.status = <i32>readDecimal(line.substr(first + 1, 3), 999);
      this.reason = trimBlanks(line.substring(first + 4));
      return this.status < 100 ? "the status is no number" : "";
    }
    const last = line.lastIndexOf(" ");
    this.method = line.substring(0, first);
    this.uri = trimBlanks(line.substring(first, last));
    this.version = line.substring(last + 1);
    if (!this.version.startsWith(protocol)) return "this is no " + protocol + " message";
    if (!isToken(this.method)) return "the method is no word";
    return isPrintable(this.uri) ? "" : "the URI is none";
  }

  private readField(line: string): string {
    const first = line.charCodeAt(0);
    const last = this.values.length - 1;
    // A line that begins with a blank goes on with the field before (RFC 2326 section 4, RFC 2616 section 2.2).
    if (first == 0x20 || first == 0x09) {
      if (last < 0) return "the first field begins with a blank";
      this.values[last] = trimBlanks(this.values[last] + " " + trimBlanks(line));
      return "";
    }
    const colon = line.indexOf(":");
    if (colon < 1) return "a field without a name";
    const name = trimBlanks(line.substring(0, colon));
    if (!isToken(name)) return "the name of a field is no word";
    if (last + 1 == MAX_FIELDS) return "too many fields";
    this.names.push(lowerCase(name));
    this.values.push(trimBlanks(line.substring(colon + 1)));
    return "";
  }
}

/** Whether there is no control character but the tab: others could end a line for someone behind. */
function isClean(from: usize, to: usize): bool {
  for (let at = from; at < to; at++) {
    const byte = load<u8>(at);
    if ((byte < 0x20 && byte != 0x09) || byte == 0x7f) return false;
  }
  return true;
}

/** RFC 2616 section 2.2. */
function isToken(text: string): bool {
  for (let i = 0; i < text.length; i++) if (!isTokenCharacter(text.charCodeAt(i))) return false;
  return text.length > 0;
}

function isTokenCharacter(code: i32): bool {
  // Letters and digits, which is nearly all; then - . _ and the rest.
  if (<u32>((code | 0x20) - 0x61) < 26 || <u32>(code - 0x30) < 10) return true;
  return (
    code == 0x2d ||
    code == 0x2e ||
    code == 0x5f ||
    (code < 0x7f && "!#$%&'*+^`|~".includes(String.fromCharCode(code)))
  );
}

function isPrintable(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f) return false;
  }
  return text.length > 0;
}
