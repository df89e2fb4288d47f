// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Two neighbouring numbers: the ports, or the channels, of RTP and RTCP. */
export type NumberPair = readonly [rtp: number, rtcp: number];

/** What a Transport header says, as far as unicast media need it (RFC 2326 section 12.39). */
export interface TransportSpec {
  /** In upper case, `RTP/AVP` or `RTP/AVP/TCP`. */
  readonly protocol: string;
  readonly isMulticast: boolean;
  readonly clientPorts: NumberPair | undefined;
  readonly serverPorts: NumberPair | undefined;
  readonly channels: NumberPair | undefined;
  /** Where media are to go; only honoured where that is who asks. */
  readonly destination: string | undefined;
  readonly source: string | undefined;
}

/** Reads the alternatives of a Transport header in the order in which they are preferred. */
export function parseTransports(header: string): readonly TransportSpec[] {
  return header.split(",").map(parseTransport);
}

/** The fields of a Transport header after its protocol. */
export function formatTransport(
  protocol: string,
  fields: Readonly<Record<string, string | NumberPair>>,
): string {
  const parts = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : value.join("-")}`,
  );
  return [protocol, "unicast", ...parts].join(";");
}

function parseTransport(text: string): TransportSpec {
  const [protocol = "", ...parts] = text.trim().split(";");
  const fields = new Map<string, string>();
  for (const part of parts) {
    const [name = "", value = ""] = part.trim().split("=", 2);
    fields.set(name.toLowerCase(), value);
  }
  return {
    protocol: protocol.toUpperCase().replace(/\/UDP$/, ""),
    isMulticast: fields.has("multicast"),
    clientPorts: parsePair(fields.get("client_port"), 65_535),
    serverPorts: parsePair(fields.get("server_port"), 65_535),
    channels: parsePair(fields.get("interleaved"), 255),
    destination: fields.get("destination"),
    source: fields.get("source"),
  };
}

function parsePair(text: string | undefined, max: number): NumberPair | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text ?? "");
  if (!match) return undefined;
  const first = Number(match[1]);
  const second = Number(match[2] ?? first + 1);
  return first <= max && second <= max ? [first, second] : undefined;
}
