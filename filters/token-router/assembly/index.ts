// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Sends each session to the endpoint that a token in its datagrams stands for.
import {
  Batch,
  ConfigReader,
  configuration,
  Datagram,
  defineMetric,
  defineReason,
  Filter,
  LogLevel,
  log,
  MetricType,
  mapMetric,
  PluginInfo,
  readDatagram,
  register,
  routeSession,
} from "@msm/filter-sdk/assembly";
import { MAX_TOKEN_BYTES, RouteTable } from "./route-table";

export * from "@msm/filter-sdk/assembly/abi";

const MISSING: u8 = 1;
const UNKNOWN: u8 = 2;
const NO_ENDPOINT: u8 = 3;

/** Contexts of sessions are dense; those above, which no worker has, are looked up for each datagram. */
const MAX_SESSIONS: u32 = 1 << 18;

/** Game datagrams are mostly shorter; the ends of others cost a host call. */
const WINDOW: u32 = 256;

const token = memory.data(32);
const routedTotal = memory.data(8, 8);

class TokenRouter extends Filter {
  isAtEnd: bool = true;
  isRemoved: bool = true;
  routes: RouteTable = new RouteTable();
  /** The route that each session has; 0 for none yet. */
  current: StaticArray<u32> = new StaticArray<u32>(<i32>MAX_SESSIONS);

  configure(): bool {
    defineReason(MISSING, "token_missing");
    defineReason(UNKNOWN, "token_unknown");
    defineReason(NO_ENDPOINT, "endpoint_unknown");
    mapMetric(defineMetric(MetricType.Counter, "token_routes_total"), routedTotal);
    const config = new ConfigReader(configuration());
    if (!config.isEmpty()) this.readConfig(config);
    if (config.problem.length > 0) log(LogLevel.Error, config.problem);
    return config.problem.length == 0;
  }

  onSessionClosed(session: u32): void {
    if (session < MAX_SESSIONS) this.current[session] = 0;
  }

  describe(info: PluginInfo): void {
    info.window = WINDOW;
  }

  onDatagrams(batch: Batch): void {
    for (let i: u32 = 0; i < batch.count; i++) {
      const datagram = batch.at(i);
      if (datagram.direction == 0) this.route(datagram, i);
    }
  }

  private route(datagram: Datagram, index: u32): void {
    const at = this.tokenOf(datagram, index);
    if (at == 0) {
      datagram.drop(MISSING);
      return;
    }
    const reason = this.follow(datagram.session, at);
    if (reason != 0) {
      datagram.drop(reason);
      return;
    }
    if (!this.isRemoved) return;
    if (!this.isAtEnd) datagram.data += this.routes.length;
    datagram.len -= <u16>this.routes.length;
  }

  /** Where a datagram's token can be read; 0 where it has none. */
  private tokenOf(datagram: Datagram, index: u32): usize {
    const length = this.routes.length;
    if (<u32>datagram.len < length) return 0;
    const offset = this.isAtEnd ? <u32>datagram.len - length : 0;
    if (offset + length <= <u32>datagram.avail) return <usize>datagram.data + offset;
    return readDatagram(index, offset, token, length) ? token : 0;
  }

  /** Sends a session where its token says. Returns why not, if not. */
  private follow(session: u32, at: usize): u8 {
    const known = session < MAX_SESSIONS ? unchecked(this.current[session]) : 0;
    if (this.routes.isOf(known, at)) return 0;
    const route = this.routes.find(at);
    if (route == 0) return UNKNOWN;
    if (!routeSession(session, this.routes.endpointAt(route), this.routes.endpointSize(route))) {
      return NO_ENDPOINT;
    }
    if (session < MAX_SESSIONS) this.current[session] = route;
    store<u64>(routedTotal, load<u64>(routedTotal) + 1);
    return 0;
  }

  private readConfig(config: ConfigReader): void {
    config.beginObject();
    while (config.nextKey()) {
      if (config.key == "length") this.routes.length = this.readLength(config);
      else if (config.key == "at") this.isAtEnd = this.readPlace(config);
      else if (config.key == "remove") this.isRemoved = config.readBool();
      else if (config.key == "routes") this.readRoutes(config);
      else config.fail("unknown field " + config.key);
    }
    config.end();
  }

  private readLength(config: ConfigReader): u32 {
    const length = config.readNumber();
    if (length >= 1 && length <= MAX_TOKEN_BYTES && Math.floor(length) == length) return <u32>length;
    config.fail("length must be a whole number from 1 to 32");
    return 0;
  }

  private readPlace(config: ConfigReader): bool {
    const place = config.readString();
    if (place != "end" && place != "start") config.fail("at must be end or start");
    return place == "end";
  }

  private readRoutes(config: ConfigReader): void {
    config.beginObject();
    while (config.nextKey()) {
      const key = config.key;
      const endpoint = config.readString();
      if (!this.readToken(key))
        config.fail("the token " + key + " is not of the length that comes before routes, in hexadecimal");
      else if (this.routes.find(token) != 0) config.fail("the token " + key + " is there twice");
      else if (!this.routes.add(token, endpoint)) config.fail("too many routes, or no endpoint: " + endpoint);
    }
  }

  /** Reads hexadecimal digits into `token`. */
  private readToken(text: string): bool {
    if (this.routes.length == 0 || <u32>text.length != 2 * this.routes.length) return false;
    for (let i = 0; i < text.length; i += 2) {
      const high = digit(text.charCodeAt(i));
      const low = digit(text.charCodeAt(i + 1));
      if (high < 0 || low < 0) return false;
      store<u8>(token + <usize>(i >> 1), <u8>((high << 4) | low));
    }
    return true;
  }
}

function digit(code: i32): i32 {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

register(new TokenRouter());
