// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { lowerCase, readDecimal, splitOutsideQuotes, trimBlanks } from "@msm/filter-sdk/assembly/signalling";

/** One way to carry a track, of a Transport field (RFC 2326 section 12.39). */
export class Transport {
  /** As `RTP/AVP`. */
  profile: string = "";
  isInterleaved: bool = false;
  isMulticast: bool = false;
  isRecord: bool = false;
  /** First and second port or channel of each; below 0 where there is none. */
  clientPort: i32 = -1;
  clientRtcpPort: i32 = -1;
  serverPort: i32 = -1;
  serverRtcpPort: i32 = -1;
  channel: i32 = -1;
  rtcpChannel: i32 = -1;
  source: string = "";
  destination: string = "";
  hasDestination: bool = false;
  /** Eight hexadecimal digits, or empty. */
  ssrc: string = "";
  /** A parameter that cannot be read; empty where all can. */
  problem: string = "";

  /** Reads every alternative of a field, in order of preference. */
  static parseAll(field: string): Transport[] {
    const parts = splitOutsideQuotes(field, ",");
    const found: Transport[] = [];
    for (let i = 0; i < parts.length; i++) if (parts[i].length > 0) found.push(parse(parts[i]));
    return found;
  }

  readParameter(name: string, value: string): void {
    if (name == "multicast") this.isMulticast = true;
    else if (name == "client_port") this.readClientPorts(value);
    else if (name == "server_port") this.readServerPorts(value);
    else if (name == "interleaved") this.readChannels(value);
    else if (name == "source") this.source = value;
    else if (name == "ssrc") this.ssrc = value;
    else if (name == "mode") this.isRecord = lowerCase(value).includes("record");
    else if (name == "destination") {
      this.destination = value;
      this.hasDestination = true;
    }
  }

  private readClientPorts(value: string): void {
    this.clientPort = first(value, 65_535);
    this.clientRtcpPort = second(value, 65_535);
    if (this.clientPort < 1) this.problem = "client_port=" + value;
  }

  private readServerPorts(value: string): void {
    this.serverPort = first(value, 65_535);
    this.serverRtcpPort = second(value, 65_535);
  }

  private readChannels(value: string): void {
    this.channel = first(value, 255);
    this.rtcpChannel = second(value, 255);
    if (this.channel < 0) this.problem = "interleaved=" + value;
  }
}

function parse(text: string): Transport {
  const transport = new Transport();
  const parts = splitOutsideQuotes(text, ";");
  const protocol = parts[0].split("/");
  const lower = protocol.length > 2 ? lowerCase(protocol[2]) : "udp";
  transport.isInterleaved = lower == "tcp";
  transport.profile = protocol.length > 1 ? protocol[0] + "/" + protocol[1] : protocol[0];
  if (protocol.length > 3 || (lower != "tcp" && lower != "udp")) transport.problem = parts[0];
  for (let i = 1; i < parts.length; i++) {
    const equals = parts[i].indexOf("=");
    const name = lowerCase(equals < 0 ? parts[i] : trimBlanks(parts[i].substring(0, equals)));
    transport.readParameter(name, equals < 0 ? "" : unquoted(trimBlanks(parts[i].substring(equals + 1))));
  }
  return transport;
}

function first(range: string, most: i64): i32 {
  const dash = range.indexOf("-");
  return <i32>readDecimal(dash < 0 ? range : range.substring(0, dash), most);
}

function second(range: string, most: i64): i32 {
  const dash = range.indexOf("-");
  return dash < 0 ? -1 : <i32>readDecimal(range.substring(dash + 1), most);
}

function unquoted(value: string): string {
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
  return isQuoted ? value.substring(1, value.length - 1) : value;
}
