// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readDecimal, trimBlanks } from "./text";

/** RTP clock of the static payload types of RFC 3551 tables 4 and 5, where it is not 8000 Hz for audio, 90000 for video. */
const STATIC_CLOCKS: StaticArray<i32> = [
  6, 16_000, 10, 44_100, 11, 44_100, 14, 90_000, 16, 11_025, 17, 22_050,
];

/** Descriptions that are longer are taken for none: a real one has some thousand bytes in some dozen lines. */
const MAX_TEXT = 32_768;
const MAX_LINES = 1_024;

/** One media section: what stands behind an `m=` line (RFC 8866 section 5.14). */
export class SdpMedia {
  /** `audio`, `video`, `application`. */
  kind: string = "";
  port: i32 = 0;
  /** As `RTP/AVP`. */
  protocol: string = "";
  readonly payloadTypes: i32[] = [];
  /** Value of `a=control` (RFC 2326 appendix C.1.1). */
  control: string = "";
  /** Hz, of the first payload type; 0 where it is not known. */
  clockRate: i32 = 0;

  readLine(line: string): void {
    if (line.startsWith("a=control:")) this.control = trimBlanks(line.substring(10));
    if (line.startsWith("a=rtpmap:")) this.readRtpMap(line.substring(9));
  }

  readMediaLine(line: string): void {
    const parts = line.substring(2).split(" ");
    this.kind = parts[0];
    if (parts.length > 1) this.port = <i32>readDecimal(parts[1].split("/")[0], 65_535);
    if (parts.length > 2) this.protocol = parts[2];
    for (let i = 3; i < parts.length; i++) {
      const type = <i32>readDecimal(parts[i], 127);
      if (type >= 0) this.payloadTypes.push(type);
    }
    if (this.payloadTypes.length > 0) this.clockRate = staticClock(this.kind, this.payloadTypes[0]);
  }

  private readRtpMap(value: string): void {
    const blank = value.indexOf(" ");
    const type = <i32>readDecimal(value.substring(0, max(blank, 0)), 127);
    if (this.payloadTypes.length == 0 || type != this.payloadTypes[0]) return;
    const parts = value.substring(blank + 1).split("/");
    if (parts.length > 1) this.clockRate = <i32>max(<i64>0, readDecimal(trimBlanks(parts[1])));
  }
}

/** A session description (RFC 8866), as far as whoever carries its media has to know it. */
export class Sdp {
  readonly lines: string[] = [];
  readonly media: SdpMedia[] = [];
  /** The session's own `a=control`; empty where it has none. */
  control: string = "";

  constructor(text: string) {
    const lines = text.length > MAX_TEXT ? ([] as string[]) : text.split("\n", MAX_LINES);
    for (let i = 0; i < lines.length; i++) {
      const line = trimEnd(lines[i]);
      if (line.length > 1) this.addLine(line);
    }
  }

  /** Whether this is a description at all. */
  get isValid(): bool {
    return this.lines.length > 0 && this.lines[0] == "v=0";
  }

  /**
   * The description as others are to see it: from `address`, with `control` for the session where it has one, and
   * `controls` for its media. What names other addresses is left out.
   */
  rewritten(address: string, control: string, controls: string[]): string {
    const lines: string[] = [];
    let section = -1;
    for (let i = 0; i < this.lines.length; i++) {
      const line = this.lines[i];
      if (line.startsWith("m=")) section++;
      if (line.startsWith("a=source-filter:") || line.startsWith("a=rtcp:")) continue;
      lines.push(rewrittenLine(line, address, section < 0 ? control : controls[section]));
    }
    return lines.join("\r\n") + "\r\n";
  }

  private addLine(line: string): void {
    this.lines.push(line);
    if (line.startsWith("m=")) {
      const media = new SdpMedia();
      media.readMediaLine(line);
      this.media.push(media);
    } else if (this.media.length > 0) {
      this.media[this.media.length - 1].readLine(line);
    } else if (line.startsWith("a=control:")) {
      this.control = trimBlanks(line.substring(10));
    }
  }
}

function rewrittenLine(line: string, address: string, control: string): string {
  if (line.startsWith("c=")) return "c=" + networkAddress(address);
  if (line.startsWith("a=control:")) return "a=control:" + control;
  if (!line.startsWith("o=")) return line;
  // o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address>
  const parts = line.split(" ");
  if (parts.length != 6) return line;
  return parts[0] + " " + parts[1] + " " + parts[2] + " " + networkAddress(address);
}

function networkAddress(address: string): string {
  return (address.includes(":") ? "IN IP6 " : "IN IP4 ") + address;
}

function staticClock(kind: string, type: i32): i32 {
  if (type >= 96) return 0;
  for (let i = 0; i < STATIC_CLOCKS.length; i += 2) if (STATIC_CLOCKS[i] == type) return STATIC_CLOCKS[i + 1];
  return kind == "audio" ? 8_000 : 90_000;
}

function trimEnd(line: string): string {
  return line.endsWith("\r") ? line.substring(0, line.length - 1) : line;
}
