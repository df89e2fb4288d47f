// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Finds sessions by an identifier in their datagrams, not by the address of their client, which may change.
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
  readDatagram,
  register,
  Stage,
} from "@msm/filter-sdk/assembly";

export * from "@msm/filter-sdk/assembly/abi";

const TOO_SHORT: u8 = 1;

/** Identifiers mostly stand in the first bytes; others cost a host call. */
const WINDOW: u32 = 64;

const MAX_LENGTH: u32 = 8;
const MAX_OFFSET: u32 = 65_507;

const key = memory.data(8, 8);

class SessionKey extends Filter {
  offset: u32 = 0;
  length: u32 = MAX_LENGTH;
  /** Whether what is too short for an identifier is dropped; else its session is that of its client's address. */
  dropsShort: bool = false;

  describe(info: PluginInfo): void {
    info.stages = Stage.Listener;
    info.window = WINDOW;
  }

  configure(): bool {
    defineReason(TOO_SHORT, "too_short");
    const config = new ConfigReader(configuration());
    if (config.isEmpty()) return true;
    config.beginObject();
    while (config.nextKey()) {
      if (config.key == "offset") this.offset = readCount(config, 0, MAX_OFFSET);
      else if (config.key == "length") this.length = readCount(config, 1, MAX_LENGTH);
      else if (config.key == "dropShort") this.dropsShort = config.readBool();
      else config.fail("unknown field " + config.key);
    }
    config.end();
    if (config.problem.length > 0) log(LogLevel.Error, config.problem);
    return config.problem.length == 0;
  }

  onDatagrams(batch: Batch): void {
    for (let i: u32 = 0; i < batch.count; i++) {
      const datagram = batch.at(i);
      if (this.readKey(datagram, i)) datagram.setKey(load<u64>(key));
      else if (this.dropsShort) datagram.drop(TOO_SHORT);
    }
  }

  /** Reads a datagram's identifier into `key`; false where it is too short. */
  private readKey(datagram: Datagram, index: u32): bool {
    const end = this.offset + this.length;
    if (<u32>datagram.len < end) return false;
    store<u64>(key, 0);
    if (end > <u32>datagram.avail) return readDatagram(index, this.offset, key, this.length);
    memory.copy(key, <usize>datagram.data + this.offset, this.length);
    return true;
  }
}

function readCount(config: ConfigReader, least: u32, most: u32): u32 {
  const value = config.readNumber();
  if (value < <f64>least || value > <f64>most || value != Math.floor(value))
    config.fail("a whole number from " + least.toString() + " to " + most.toString() + " is expected");
  return <u32>value;
}

register(new SessionKey());
