// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Writes datagrams to rotating pcapng files; they go on as they came.
import {
  Batch,
  ConfigReader,
  configuration,
  Datagram,
  Directions,
  defineMetric,
  Filter,
  LogLevel,
  log,
  MetricType,
  mapMetric,
  openSink,
  PluginInfo,
  register,
  setTickPeriod,
  writeSink,
} from "@msm/filter-sdk/assembly";
import { MAX_HEADERS, writeHeaders } from "./packet-writer";
import { HEADER_BYTES, PACKET_HEAD, packetBytes, writeFileHeader, writePacketBlock } from "./pcapng";
import { MAX_SESSIONS, Peers } from "./peers";

export * from "@msm/filter-sdk/assembly/abi";

/** The most that one call to the host writes. */
const BUFFER_BYTES: usize = 65_536;

/** How long a datagram may wait for others to be written with, in milliseconds. */
const FLUSH_MS: u32 = 500;

const writtenTotal = memory.data(8, 8);
const lostTotal = memory.data(8, 8);
const fileHeader = memory.data(60, 8);

class Capture extends Filter {
  sink: i32 = -1;
  directions: Directions = Directions.both;
  /** Bytes of a payload that are kept. */
  kept: u32 = 1_500;
  peers: Peers = new Peers();
  buffer: usize = heap.alloc(BUFFER_BYTES);
  /** What waits in the buffer: bytes and packets. */
  used: usize = 0;
  waiting: u32 = 0;

  configure(): bool {
    mapMetric(defineMetric(MetricType.Counter, "capture_written_total"), writtenTotal);
    mapMetric(defineMetric(MetricType.Counter, "capture_lost_total"), lostTotal);
    const config = new ConfigReader(configuration());
    if (!config.isEmpty()) this.readConfig(config);
    if (config.problem.length == 0) this.open(config);
    if (config.problem.length > 0) log(LogLevel.Error, config.problem);
    return config.problem.length == 0;
  }

  describe(info: PluginInfo): void {
    info.window = this.kept;
    info.slotSize = this.kept;
  }

  onSession(session: u32): void {
    if (session < MAX_SESSIONS) this.peers.open(session);
  }

  onDatagrams(batch: Batch): void {
    for (let i: u32 = 0; i < batch.count; i++) {
      const datagram = batch.at(i);
      if (!this.directions.includes(datagram)) continue;
      if (datagram.session < MAX_SESSIONS) this.keep(datagram, batch.wallNs);
      else store<u64>(lostTotal, load<u64>(lostTotal) + 1);
    }
    batch.markUnchanged();
  }

  onTick(): void {
    this.flush();
  }

  private keep(datagram: Datagram, wallNs: u64): void {
    const present = min(<u32>datagram.avail, this.kept);
    if (this.used + packetBytes(<u32>MAX_HEADERS + present) > BUFFER_BYTES) this.flush();
    const client = this.peers.at(datagram.session, 0);
    const endpoint = this.peers.at(datagram.session, 1);
    const isToClient = datagram.direction == 1;
    const block = this.buffer + this.used;
    const packet = block + PACKET_HEAD;
    const from = isToClient ? endpoint : client;
    const to = isToClient ? client : endpoint;
    const headers = writeHeaders(packet, this.peers, from, to, datagram.len);
    memory.copy(packet + headers, datagram.data, present);
    const captured = <u32>headers + present;
    const ns = datagram.rxNs != 0 ? datagram.rxNs : wallNs;
    writePacketBlock(block, ns, captured, <u32>headers + <u32>datagram.len);
    this.used += packetBytes(captured);
    this.waiting++;
  }

  /** Writes what waits. What the host does not take is lost, and counted. */
  private flush(): void {
    if (this.waiting == 0) return;
    const counter = writeSink(this.sink, this.buffer, this.used) ? writtenTotal : lostTotal;
    store<u64>(counter, load<u64>(counter) + this.waiting);
    this.used = 0;
    this.waiting = 0;
  }

  private open(config: ConfigReader): void {
    writeFileHeader(fileHeader, <u32>MAX_HEADERS + this.kept);
    this.sink = openSink("capture.pcapng", fileHeader, HEADER_BYTES);
    if (this.sink < 0) config.fail("the proxy keeps no captures: start it with --capture-folder");
    else setTickPeriod(FLUSH_MS);
  }

  private readConfig(config: ConfigReader): void {
    config.beginObject();
    while (config.nextKey()) {
      if (config.key == "bytes") this.kept = this.readBytes(config);
      else if (config.key == "from") this.directions = Directions.read(config);
      else config.fail("unknown field " + config.key);
    }
    config.end();
  }

  private readBytes(config: ConfigReader): u32 {
    const bytes = config.readNumber();
    if (bytes >= 12 && bytes <= 9_000 && Math.floor(bytes) == bytes) return <u32>bytes;
    config.fail("bytes must be a whole number from 12 to 9000");
    return 12;
  }
}

register(new Capture());
