// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Adds a number to the SSRC of RTP and drops what is no RTP.
import {
  Batch,
  ConfigReader,
  configuration,
  defineMetric,
  defineReason,
  Filter,
  LogLevel,
  loadU32,
  log,
  MetricType,
  mapMetric,
  PluginInfo,
  register,
  storeU32,
} from "@msm/filter-sdk/assembly";

export * from "@msm/filter-sdk/assembly/abi";

const NOT_RTP: u8 = 1;

// RFC 3550 section 5.1: version 2, a header of 12 bytes, the SSRC from byte 8 on.
const HEADER_BYTES: u16 = 12;
const SSRC: usize = 8;

const rewritten = memory.data(8, 8);

class ShiftSsrc extends Filter {
  offset: u32 = 1;

  describe(info: PluginInfo): void {
    info.window = HEADER_BYTES;
  }

  configure(): bool {
    defineReason(NOT_RTP, "not_rtp");
    mapMetric(defineMetric(MetricType.Counter, "rewritten"), rewritten);
    const config = new ConfigReader(configuration());
    if (config.isEmpty()) return true;
    config.beginObject();
    while (config.nextKey()) {
      if (config.key == "offset") this.offset = <u32>config.readNumber();
      else config.fail("unknown field " + config.key);
    }
    config.end();
    if (config.problem.length > 0) log(LogLevel.Error, config.problem);
    return config.problem.length == 0;
  }

  onDatagrams(batch: Batch): void {
    for (let i: u32 = 0; i < batch.count; i++) {
      const datagram = batch.at(i);
      if (datagram.len < HEADER_BYTES || load<u8>(datagram.data) >> 6 != 2) {
        datagram.drop(NOT_RTP);
        continue;
      }
      storeU32(datagram.data + SSRC, loadU32(datagram.data + SSRC) + this.offset);
      datagram.markDirty();
      store<u64>(rewritten, load<u64>(rewritten) + 1);
    }
  }
}

register(new ShiftSsrc());
