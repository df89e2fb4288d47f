// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Compresses datagrams between two proxies with LZ4, each by itself. A datagram cannot grow where it is: each is taken, and
// a new one takes its place.
import {
  Action,
  Batch,
  ConfigReader,
  configuration,
  Datagram,
  defineMetric,
  defineReason,
  Filter,
  LogLevel,
  loadU16,
  log,
  MetricType,
  mapMetric,
  PluginInfo,
  register,
  storeU16,
} from "@msm/filter-sdk/assembly";
import { compressBlock, expandBlock } from "./lz4";

export * from "@msm/filter-sdk/assembly/abi";

const TOO_LONG: u8 = 1;
const DAMAGED: u8 = 2;

/** The largest datagram; with its header it fits what a worker keeps outside of its ring. */
const MAX_BYTES: u32 = 9_000;

const PLAIN: u8 = 0;
const LZ4: u8 = 1;

/** The kind, and for LZ4 the original length. */
const PLAIN_HEADER: u32 = 1;
const LZ4_HEADER: u32 = 3;

const BATCH: u32 = 64;

// Bytes in, before and after expansion, and out, before and after compression.
const inWire = memory.data(8, 8);
const inPlain = memory.data(8, 8);
const outPlain = memory.data(8, 8);
const outWire = memory.data(8, 8);

class Compress extends Filter {
  /** The direction in which the other proxy is: 0 to endpoints, 1 to clients. */
  towards: u32 = 0;

  describe(info: PluginInfo): void {
    info.slotSize = MAX_BYTES + LZ4_HEADER;
    info.maxBatch = BATCH;
    info.emitCapacity = BATCH;
  }

  configure(): bool {
    defineReason(TOO_LONG, "too_long");
    defineReason(DAMAGED, "damaged");
    defineBytes("in", "wire", inWire);
    defineBytes("in", "plain", inPlain);
    defineBytes("out", "plain", outPlain);
    defineBytes("out", "wire", outWire);
    const config = new ConfigReader(configuration());
    if (!config.isEmpty()) this.readConfig(config);
    if (config.problem.length > 0) log(LogLevel.Error, config.problem);
    return config.problem.length == 0;
  }

  onDatagrams(batch: Batch): void {
    for (let i: u32 = 0; i < batch.count; i++) {
      const datagram = batch.at(i);
      const made = batch.add(datagram.session, datagram.direction == 1);
      made.tos = datagram.tos;
      made.ttl = datagram.ttl;
      made.mark = datagram.mark;
      made.user = datagram.user;
      const reason = datagram.direction == this.towards ? compress(datagram, made) : expand(datagram, made);
      if (reason == 0) {
        datagram.action = <u8>Action.Consume;
        continue;
      }
      datagram.drop(reason);
      batch.emitted--;
    }
  }

  private readConfig(config: ConfigReader): void {
    config.beginObject();
    while (config.nextKey()) {
      if (config.key == "towards") this.towards = readTowards(config);
      else config.fail("unknown field " + config.key);
    }
    config.end();
  }
}

function readTowards(config: ConfigReader): u32 {
  const side = config.readString();
  if (side != "endpoint" && side != "client") config.fail("towards must be endpoint or client");
  return side == "client" ? 1 : 0;
}

function defineBytes(direction: string, side: string, at: usize): void {
  const name = `compress_bytes_total{direction="${direction}",side="${side}"}`;
  mapMetric(defineMetric(MetricType.Counter, name), at);
}

/** Fills `made` for the wire. Returns why not, if not. */
function compress(datagram: Datagram, made: Datagram): u8 {
  const length = <u32>datagram.len;
  if (length > MAX_BYTES || datagram.avail != datagram.len) return TOO_LONG;
  const room = length > LZ4_HEADER ? length - LZ4_HEADER + PLAIN_HEADER : 0;
  const size = compressBlock(datagram.data, length, <usize>made.data + LZ4_HEADER, room);
  if (size > 0) {
    store<u8>(made.data, LZ4);
    storeU16(<usize>made.data + 1, <u16>length);
    made.len = <u16>(size + LZ4_HEADER);
  } else {
    store<u8>(made.data, PLAIN);
    memory.copy(<usize>made.data + PLAIN_HEADER, datagram.data, length);
    made.len = <u16>(length + PLAIN_HEADER);
  }
  count(outPlain, length);
  count(outWire, made.len);
  return 0;
}

/** Fills `made` with what was on the wire. Returns why not, if not. */
function expand(datagram: Datagram, made: Datagram): u8 {
  const length = <u32>datagram.len;
  if (length == 0 || datagram.avail != datagram.len) return DAMAGED;
  const kind = load<u8>(datagram.data);
  if (kind == PLAIN) {
    made.len = <u16>(length - PLAIN_HEADER);
    memory.copy(made.data, <usize>datagram.data + PLAIN_HEADER, made.len);
  } else {
    if (kind != LZ4 || length < LZ4_HEADER) return DAMAGED;
    const plain = <u32>loadU16(<usize>datagram.data + 1);
    const block = <usize>datagram.data + LZ4_HEADER;
    if (plain > MAX_BYTES || !expandBlock(block, length - LZ4_HEADER, made.data, plain)) return DAMAGED;
    made.len = <u16>plain;
  }
  count(inWire, length);
  count(inPlain, made.len);
  return 0;
}

function count(at: usize, bytes: u32): void {
  store<u64>(at, load<u64>(at) + bytes);
}

register(new Compress());
