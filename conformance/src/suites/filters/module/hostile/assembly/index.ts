// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Does the worst to its host with the first datagrams that it sees: the deed that its configuration names.
import {
  Batch,
  ConfigReader,
  configuration,
  currentTimeNs,
  Datagram,
  Filter,
  LogLevel,
  log,
  PluginInfo,
  register,
} from "@msm/filter-sdk/assembly";
import { proxy_define_metric } from "@msm/filter-sdk/assembly/env";

export * from "@msm/filter-sdk/assembly/abi";

const METRICS: u32 = 10_000;

/** Offsets in `msm_dgram` and `msm_batch`. */
const DATA: usize = 0;
const LEN: usize = 4;
const SESSION: usize = 8;
const FLAGS: usize = 12;
const ACTION: usize = 24;
const REASON: usize = 25;
const TARGET: usize = 28;
const DESC_BYTES: usize = 64;
const EMITTED: usize = 48;

const RETARGET: u16 = 0x200;
const SET_KEY: u16 = 0x800;
const DROP: u8 = 2;

function recurse(n: u64): u64 {
  return n == 0 ? 0 : recurse(n + 1) + currentTimeNs() + n;
}

/** "flood_" and four digits. */
const NAME_BYTES: usize = 10;
const DIGITS: usize = 4;
const ZERO: u8 = 0x30;
const metricName = memory.data<u8>([0x66, 0x6c, 0x6f, 0x6f, 0x64, 0x5f, 0, 0, 0, 0]);
const metricId = memory.data(4, 4);

/** Not by the SDK, which gives up at the first that is refused. */
function floodWithMetrics(): void {
  for (let i: u32 = 0; i < METRICS; i++) {
    let rest = i;
    for (let digit: usize = 1; digit <= DIGITS; digit++, rest /= 10) {
      store<u8>(metricName + NAME_BYTES - digit, ZERO + <u8>(rest % 10));
    }
    proxy_define_metric(0, metricName, NAME_BYTES, metricId);
  }
}

class Hostile extends Filter {
  deed: string = "";

  describe(info: PluginInfo): void {
    info.emitCapacity = 4;
  }

  configure(): bool {
    const config = new ConfigReader(configuration());
    config.beginObject();
    while (config.nextKey()) this.deed = config.readString();
    if (this.deed == "metrics") floodWithMetrics();
    if (this.deed == "loop when configured") while (true) {}
    if (this.deed == "refuse") log(LogLevel.Error, "it likes no configuration");
    return this.deed != "refuse";
  }

  onDatagrams(batch: Batch): void {
    const deed = this.deed;
    const first = changetype<usize>(batch.at(0));
    if (deed == "loop") while (true) {}
    if (deed == "memory bomb") {
      while (memory.grow(16) >= 0) {}
      unreachable();
    }
    if (deed == "trap in mid-batch") {
      store<u8>(first + ACTION, DROP);
      unreachable();
    }
    if (deed == "recursion") recurse(1);
    if (deed == "host-call flood") while (true) currentTimeNs();
    if (deed == "data before the slot") store<u32>(first + DATA, 4);
    if (deed == "data beyond the memory") store<u32>(first + DATA, 0xffff_fff0);
    if (deed == "len beyond the datagram") store<u16>(first + LEN, 0xffff);
    if (deed == "action that is none") store<u8>(first + ACTION, 99);
    if (deed == "reason of the host's") {
      store<u8>(first + ACTION, DROP);
      store<u8>(first + REASON, 200);
    }
    if (deed == "target that is none") {
      store<u32>(first + TARGET, 77);
      store<u16>(first + FLAGS, load<u16>(first + FLAGS) | RETARGET);
    }
    if (deed == "key of a session") store<u16>(first + FLAGS, load<u16>(first + FLAGS) | SET_KEY);
    if (deed == "emitted beyond the room") store<u32>(changetype<usize>(batch), 1_000, EMITTED);
    if (deed.startsWith("emitted with ")) this.emit(batch, first);
  }

  emit(batch: Batch, first: usize): void {
    const added = first + <usize>batch.count * DESC_BYTES;
    store<u32>(changetype<usize>(batch), 1, EMITTED);
    store<u16>(added + LEN, 8);
    store<u32>(added + SESSION, load<u32>(first + SESSION));
    if (this.deed == "emitted with data elsewhere") store<u32>(added + DATA, 64);
    if (this.deed == "emitted with a session that is none") store<u32>(added + SESSION, 999_999);
    if (this.deed == "emitted with a target that is none") store<u32>(added + TARGET, 77);
    if (this.deed == "emitted with an action") store<u8>(added + ACTION, DROP);
  }
}

register(new Hostile());
