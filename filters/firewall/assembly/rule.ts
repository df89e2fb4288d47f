// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { AddressReader, ConfigReader } from "@msm/filter-sdk/assembly";

/** A network: the address under its mask. */
class Network {
  constructor(
    public high: u64,
    public low: u64,
    public highMask: u64,
    public lowMask: u64,
  ) {}
}

/** Clients from some networks, on some ports; of none named, all. */
export class Rule {
  allows: bool = false;
  private networks: Array<Network> = [] as Network[];
  // Lowest and highest, one after the other.
  private ports: Array<u32> = [] as u32[];

  matches(high: u64, low: u64, port: u32): bool {
    return this.matchesNetwork(high, low) && this.matchesPort(port);
  }

  /** Adds `192.0.2.0/24`, `2001:db8::/32` or one address. */
  addNetwork(config: ConfigReader, reader: AddressReader, text: string): void {
    const slash = text.indexOf("/");
    const address = String.UTF8.encode(slash < 0 ? text : text.substring(0, slash));
    const from = changetype<usize>(address);
    if (!reader.readAddress(from, from + address.byteLength)) {
      config.fail('"' + text + '" is no IP address or network');
      return;
    }
    const most: i32 = reader.isV4 ? 32 : 128;
    const bits = slash < 0 ? most : readNumber(text.substring(slash + 1), most);
    if (bits < 0) {
      config.fail('"' + text + '": the prefix must be from 0 to ' + most.toString());
      return;
    }
    // IPv4 addresses are the last 32 of the 128 bits.
    const prefix = bits + 128 - most;
    const highMask = mask(prefix);
    const lowMask = mask(prefix - 64);
    this.networks.push(new Network(reader.high & highMask, reader.low & lowMask, highMask, lowMask));
  }

  /** Adds `4000` or `4000-4999`. */
  addPorts(config: ConfigReader, text: string): void {
    const dash = text.indexOf("-");
    const lowest = readNumber(dash < 0 ? text : text.substring(0, dash), 65_535);
    const highest = dash < 0 ? lowest : readNumber(text.substring(dash + 1), 65_535);
    if (lowest < 0 || highest < lowest) config.fail('"' + text + '" is no port or range of ports');
    this.ports.push(<u32>lowest);
    this.ports.push(<u32>highest);
  }

  private matchesNetwork(high: u64, low: u64): bool {
    if (this.networks.length == 0) return true;
    for (let i = 0; i < this.networks.length; i++) {
      const network = unchecked(this.networks[i]);
      if ((high & network.highMask) == network.high && (low & network.lowMask) == network.low) return true;
    }
    return false;
  }

  private matchesPort(port: u32): bool {
    if (this.ports.length == 0) return true;
    for (let i = 0; i < this.ports.length; i += 2) {
      if (port >= unchecked(this.ports[i]) && port <= unchecked(this.ports[i + 1])) return true;
    }
    return false;
  }
}

/** The first `bits` of 64 set; bits may be below 0 and above 64. */
function mask(bits: i32): u64 {
  if (bits <= 0) return 0;
  return bits >= 64 ? u64.MAX_VALUE : u64.MAX_VALUE << (64 - bits);
}

/** A decimal number of at most `most`; -1 where it is none. */
function readNumber(text: string, most: i32): i32 {
  if (text.length == 0 || text.length > 5) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= most ? value : -1;
}
