// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { ConfigReader } from "./config-reader";
import { Datagram } from "./datagram";

const FROM_CLIENT: u32 = 1;
const FROM_ENDPOINT: u32 = 2;

/** Whose datagrams a filter is for: those of the client, of the endpoint, or of both. */
@final
export class Directions {
  private readonly bits: u32;

  private constructor(bits: u32) {
    this.bits = bits;
  }

  static readonly client: Directions = new Directions(FROM_CLIENT);
  static readonly endpoint: Directions = new Directions(FROM_ENDPOINT);
  static readonly both: Directions = new Directions(FROM_CLIENT | FROM_ENDPOINT);

  /** Reads `client`, `endpoint` or `both`; another value fails the configuration. */
  static read(config: ConfigReader): Directions {
    const key = config.key;
    const from = config.readString();
    if (from == "client") return Directions.client;
    if (from == "endpoint") return Directions.endpoint;
    if (from != "both") config.fail(key + " must be client, endpoint or both");
    return Directions.both;
  }

  @inline
  includes(datagram: Datagram): bool {
    return (this.bits & (FROM_CLIENT << datagram.direction)) != 0;
  }
}
