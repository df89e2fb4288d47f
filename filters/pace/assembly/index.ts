// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Spreads the datagrams of each session, or of each receiver of a flow, over time: they leave no faster than a rate.
import {
  Batch,
  ConfigReader,
  configuration,
  Datagram,
  defineReason,
  Filter,
  LogLevel,
  log,
  PluginInfo,
  register,
  Stage,
} from "@msm/filter-sdk/assembly";

export * from "@msm/filter-sdk/assembly/abi";

const TOO_LATE: u8 = 1;

/** Contexts of sessions are dense; those above, which few workers have, share the last place. */
const PLACES: u32 = 1 << 16;

const NS_PER_MS: u64 = 1_000_000;
const NS_PER_SECOND: u64 = 1_000_000_000;

class Pace extends Filter {
  bitsPerSecond: u64 = 0;
  /** What may leave at once after a silence. */
  burstNs: u64 = 0;
  maxDelayNs: u64 = 1_000 * NS_PER_MS;
  isPerReceiver: bool = false;
  /** By session and direction: when the next datagram may leave. */
  free: StaticArray<u64> = new StaticArray<u64>(<i32>(2 * PLACES));

  describe(info: PluginInfo): void {
    // It never looks at a payload.
    info.window = 4;
    info.stages = this.isPerReceiver ? Stage.Egress : Stage.Session;
  }

  configure(): bool {
    defineReason(TOO_LATE, "too_late");
    const config = new ConfigReader(configuration());
    if (config.isEmpty()) return true;
    config.beginObject();
    while (config.nextKey()) {
      if (config.key == "bitsPerSecond") this.bitsPerSecond = readCount(config, 1_000_000_000_000);
      else if (config.key == "burstMs") this.burstNs = readCount(config, 10_000) * NS_PER_MS;
      else if (config.key == "maxDelayMs") this.maxDelayNs = readCount(config, 10_000) * NS_PER_MS;
      else if (config.key == "perReceiver") this.isPerReceiver = config.readBool();
      else config.fail("unknown field " + config.key);
    }
    config.end();
    if (config.problem.length > 0) log(LogLevel.Error, config.problem);
    return config.problem.length == 0;
  }

  onDatagrams(batch: Batch): void {
    if (this.bitsPerSecond == 0) {
      batch.markUnchanged();
      return;
    }
    let held = 0;
    for (let i: u32 = 0; i < batch.count; i++) held += this.pace(batch.at(i), batch.nowNs);
    if (held == 0) batch.markUnchanged();
  }

  onSessionClosed(session: u32): void {
    const place = placeOf(session, 0);
    this.free[place] = 0;
    this.free[place + 1] = 0;
  }

  /** Says when a datagram leaves. Returns 1 where that is not now. */
  private pace(datagram: Datagram, nowNs: u64): i32 {
    const place = placeOf(datagram.session, datagram.direction);
    const earliest = nowNs - min(nowNs, this.burstNs);
    const free = max(unchecked(this.free[place]), earliest);
    if (free > nowNs + this.maxDelayNs) {
      datagram.drop(TOO_LATE);
      return 1;
    }
    this.free[place] = free + (<u64>datagram.len * 8 * NS_PER_SECOND) / this.bitsPerSecond;
    if (free <= nowNs) return 0;
    datagram.sendAt(free);
    return 1;
  }
}

function placeOf(session: u32, direction: u32): i32 {
  return <i32>(2 * min(session, PLACES - 1) + direction);
}

function readCount(config: ConfigReader, most: f64): u64 {
  const value = config.readNumber();
  if (value < 0 || value > most || value != Math.floor(value))
    config.fail("a whole number from 0 on is expected");
  return <u64>value;
}

register(new Pace());
