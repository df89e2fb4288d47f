// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Sends a copy of each datagram to a target; the datagrams themselves go on as they came.
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
  PluginInfo,
  readDatagram,
  register,
  resolveTarget,
  TargetKind,
} from "@msm/filter-sdk/assembly";

export * from "@msm/filter-sdk/assembly/abi";

/** Datagrams of one call, and so copies, at the most. */
const MAX_BATCH: u32 = 64;

/** The longest datagram that is copied; a host keeps none that is longer. */
const MAX_COPY: u32 = 9_000;

/** Payloads are copied from the host straight into the copy: the filter itself looks at none. */
const WINDOW: u32 = 4;

const mirroredTotal = memory.data(8, 8);
const skippedTotal = memory.data(8, 8);

class Mirror extends Filter {
  target: u32 = 0;
  directions: Directions = Directions.client;

  configure(): bool {
    mapMetric(defineMetric(MetricType.Counter, "mirror_datagrams_total"), mirroredTotal);
    mapMetric(defineMetric(MetricType.Counter, "mirror_skipped_total"), skippedTotal);
    const config = new ConfigReader(configuration());
    if (!config.isEmpty()) this.readConfig(config);
    if (config.problem.length > 0) log(LogLevel.Error, config.problem);
    return config.problem.length == 0;
  }

  describe(info: PluginInfo): void {
    info.window = WINDOW;
    info.maxBatch = MAX_BATCH;
    if (this.target == 0) return;
    info.emitCapacity = MAX_BATCH;
    info.slotSize = MAX_COPY + 4;
  }

  onDatagrams(batch: Batch): void {
    if (this.target != 0) {
      for (let i: u32 = 0; i < batch.count; i++) {
        const datagram = batch.at(i);
        if (this.directions.includes(datagram)) this.copy(batch, datagram, i);
      }
    }
    batch.markUnchanged();
  }

  private copy(batch: Batch, datagram: Datagram, index: u32): void {
    const length = datagram.len;
    if (<u32>length > MAX_COPY || !batch.hasRoom) {
      store<u64>(skippedTotal, load<u64>(skippedTotal) + 1);
      return;
    }
    const copy = batch.add(datagram.session, false);
    if (!readDatagram(index, 0, copy.data, length)) {
      batch.emitted--;
      store<u64>(skippedTotal, load<u64>(skippedTotal) + 1);
      return;
    }
    copy.len = length;
    copy.target = this.target;
    store<u64>(mirroredTotal, load<u64>(mirroredTotal) + 1);
  }

  private readConfig(config: ConfigReader): void {
    config.beginObject();
    while (config.nextKey()) {
      if (config.key == "cluster") this.setTarget(config, TargetKind.Cluster);
      else if (config.key == "endpoint") this.setTarget(config, TargetKind.Endpoint);
      else if (config.key == "from") this.directions = Directions.read(config);
      else config.fail("unknown field " + config.key);
    }
    config.end();
  }

  private setTarget(config: ConfigReader, kind: TargetKind): void {
    const key = config.key;
    const name = config.readString();
    if (config.problem.length > 0) return;
    if (this.target != 0) config.fail("cluster and endpoint: only one of them, once");
    else if (name.length == 0) config.fail(key + " must not be empty");
    else {
      this.target = resolveTarget(kind, name);
      if (this.target == 0) config.fail(key + ": the proxy sends no copies for this listener");
    }
  }
}

register(new Mirror());
