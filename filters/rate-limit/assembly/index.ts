// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Token buckets for each session and direction: what comes when a bucket is empty is dropped.
import {
  Batch,
  ConfigReader,
  configuration,
  defineReason,
  Filter,
  LogLevel,
  log,
  PluginInfo,
  register,
} from "@msm/filter-sdk/assembly";
import { Bucket, BucketTable } from "./buckets";

export * from "@msm/filter-sdk/assembly/abi";

const TOO_MANY_DATAGRAMS: u8 = 1;
const TOO_MANY_BYTES: u8 = 2;

class RateLimit extends Filter {
  datagramsPerSecond: u32 = 0;
  bytesPerSecond: u32 = 0;
  burstMs: u32 = 1_000;
  buckets: BucketTable = new BucketTable();

  describe(info: PluginInfo): void {
    // It never looks at a payload.
    info.window = 4;
  }

  configure(): bool {
    defineReason(TOO_MANY_DATAGRAMS, "too_many_datagrams");
    defineReason(TOO_MANY_BYTES, "too_many_bytes");
    const config = new ConfigReader(configuration());
    if (config.isEmpty()) return true;
    config.beginObject();
    while (config.nextKey()) {
      if (config.key == "datagramsPerSecond") this.datagramsPerSecond = readCount(config);
      else if (config.key == "bytesPerSecond") this.bytesPerSecond = readCount(config);
      else if (config.key == "burstMs") this.burstMs = readCount(config);
      else config.fail("unknown field " + config.key);
    }
    config.end();
    if (this.burstMs < 1 || this.burstMs > 60_000) config.fail("burstMs must be from 1 to 60000");
    if (config.problem.length > 0) log(LogLevel.Error, config.problem);
    return config.problem.length == 0;
  }

  onDatagrams(batch: Batch): void {
    let dropped = 0;
    for (let i: u32 = 0; i < batch.count; i++) {
      const datagram = batch.at(i);
      const bucket = this.buckets.find(datagram.session, datagram.direction);
      this.refill(bucket, batch.nowNs);
      if (this.datagramsPerSecond > 0 && bucket.datagrams < 1) datagram.drop(TOO_MANY_DATAGRAMS);
      else if (this.bytesPerSecond > 0 && bucket.bytes < <f64>datagram.len) datagram.drop(TOO_MANY_BYTES);
      else {
        bucket.datagrams -= 1;
        bucket.bytes -= <f64>datagram.len;
        continue;
      }
      dropped++;
    }
    if (dropped == 0) batch.markUnchanged();
  }

  onSessionClosed(session: u32): void {
    this.buckets.remove(session);
  }

  /** Adds what the time since the last datagram gives; a bucket holds a burst at most. */
  private refill(bucket: Bucket, nowNs: u64): void {
    const burst = <f64>this.burstMs / 1_000;
    const seconds = bucket.isNew ? burst : min(burst, <f64>(nowNs - bucket.filledNs) / 1e9);
    bucket.isNew = false;
    bucket.filledNs = nowNs;
    const datagrams = <f64>this.datagramsPerSecond;
    const bytes = <f64>this.bytesPerSecond;
    bucket.datagrams = min(bucket.datagrams + seconds * datagrams, max(1, burst * datagrams));
    // Room for one datagram of any size, or the limit could never be met.
    bucket.bytes = min(bucket.bytes + seconds * bytes, max(65_535, burst * bytes));
  }
}

function readCount(config: ConfigReader): u32 {
  const value = config.readNumber();
  if (value < 0 || value > 4e9 || value != Math.floor(value))
    config.fail("a whole number from 0 on is expected");
  return <u32>value;
}

register(new RateLimit());
