// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Measures RTP streams as RFC 3550 says, and passes everything on as it came.
import {
  Batch,
  ConfigReader,
  configuration,
  currentTimeNs,
  Datagram,
  Filter,
  LogLevel,
  log,
  MediaKind,
  mediaKind,
  PluginInfo,
  payloadType,
  register,
  sequenceNumber,
  setTickPeriod,
  ssrc,
  timestamp,
} from "@msm/filter-sdk/assembly";
import { clockRateOf, readClockRates, setStaticClockRates } from "./clock-rates";
import { Count, count, defineCounters, observeJitter, setActive } from "./counters";
import { followJitter, jitterNs, setClockRate } from "./jitter";
import { reportStreams } from "./report";
import { readCompound } from "./rtcp";
import { followSequence, startSequence } from "./sequence";
import { Stream } from "./stream";
import { createTable, findOrAdd, removeSession, streamAt, tableSize } from "./stream-table";

export * from "@msm/filter-sdk/assembly/abi";

/** The fixed RTP header fits; RTCP is rare and read whole when it comes. Twice the window, twice the copying. */
const WINDOW_BYTES: u32 = 16;

/** The most that the host shows at once: a run that the kernel merged has up to 64 datagrams, and a turn several runs. */
const MAX_BATCH: u32 = 256;

/** How often each active stream's jitter is observed, in milliseconds. */
const TICK_MS: u32 = 1000;

class RtpStats extends Filter {
  describe(info: PluginInfo): void {
    info.window = WINDOW_BYTES;
    info.maxBatch = MAX_BATCH;
  }

  configure(): bool {
    setStaticClockRates();
    const problem = readConfig();
    if (problem.length > 0) {
      log(LogLevel.Error, "configuration: " + problem);
      return false;
    }
    defineCounters();
    createTable(<u32>currentTimeNs());
    setTickPeriod(TICK_MS);
    return true;
  }

  onDatagrams(batch: Batch): void {
    // The unit does not matter, only that it is shorter than any pause: about a millisecond.
    const now = <u32>(batch.nowNs >> 20);
    let packets: u32 = 0;
    let bytes: u32 = 0;
    for (let i: u32 = 0; i < batch.count; i++) {
      const datagram = batch.at(i);
      const kind = mediaKind(datagram);
      if (kind == MediaKind.Rtp) {
        noteRtp(datagram, now);
        packets++;
        bytes += datagram.len;
      } else if (kind == MediaKind.Rtcp) {
        count(Count.Rtcp, 1);
        readCompound(datagram, i, now);
      } else {
        count(Count.NotRtp, 1);
      }
    }
    count(Count.Packets, packets);
    count(Count.Bytes, bytes);
    batch.markUnchanged();
  }

  onSessionClosed(session: u32): void {
    removeSession(session);
  }

  onTick(): void {
    let active: u32 = 0;
    for (let i: u32 = 0; i < tableSize(); i++) {
      const stream = streamAt(i);
      if (stream.key == 0 || stream.packets == stream.packetsAtTick) continue;
      stream.packetsAtTick = stream.packets;
      active++;
      if (stream.clockRate != 0) observeJitter(jitterNs(stream));
    }
    setActive(active);
  }

  onReport(): void {
    reportStreams();
  }
}

function noteRtp(datagram: Datagram, now: u32): void {
  const data = <usize>datagram.data;
  const stream = findOrAdd((datagram.session << 1) | datagram.direction, ssrc(data), now);
  stream.packets++;
  stream.bytes += datagram.len;
  const type = <u8>payloadType(data);
  const isFollowed =
    type == stream.payloadType && stream.hasRtp
      ? followSequence(stream, sequenceNumber(data))
      : noteFormat(stream, type, sequenceNumber(data));
  if (isFollowed && stream.clockRate != 0) followJitter(stream, datagram.rxNs, timestamp(data));
}

/** The first packet of a stream, or the first of another payload type. */
function noteFormat(stream: Stream, type: u8, sequenceNumber: u32): bool {
  stream.payloadType = type;
  // The formats of one SSRC share a clock (RFC 7160): one whose rate is not known leaves the other's in place.
  const clockRate = clockRateOf(type);
  if (clockRate != 0) setClockRate(stream, clockRate);
  if (stream.hasRtp) return followSequence(stream, sequenceNumber);
  stream.hasRtp = true;
  startSequence(stream, sequenceNumber);
  return true;
}

/** Returns what is wrong with the configuration; empty where nothing is. No configuration is a good one. */
function readConfig(): string {
  const config = new ConfigReader(configuration());
  if (config.isEmpty()) return "";
  config.beginObject();
  while (config.nextKey()) {
    if (config.key == "clockRates") readClockRates(config);
    else config.fail('unknown field "' + config.key + '"; there is only clockRates');
  }
  config.end();
  return config.problem;
}

register(new RtpStats());
