// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { INFO_BYTES, InfoField, Stage, Status } from "./abi.ts";
import { FilterFailure } from "./filter-failure.ts";
import type { GuestMemory } from "./guest-memory.ts";

/** Bytes of a datagram that a filter with window 0 sees unless it asks for larger slots: above every MTU. */
const DEFAULT_SLOT_BYTES = 2_048;

/** The largest UDP payload, rounded up. */
const MAX_SLOT_BYTES = 65_536;

/** One turn of a worker rarely brings more; larger batches are handed over in parts. */
const DEFAULT_BATCH = 64;
const MAX_BATCH = 256;

/** Datagrams that a filter may add in one call: as many as it may be shown. */
const MAX_EMITTED = 256;

/** More than any header that could be put before a datagram. */
const MAX_HEADROOM_BYTES = 512;

/**
 * For how long sessions stay with their generation of a filter unless it says otherwise: long enough to see whether the
 * new one works, short enough for who waits for its effect.
 */
const DEFAULT_DRAIN_MS = 2_000;
const MAX_DRAIN_MS = 3_600_000;

const ALL_STAGES = Stage.Listener | Stage.Session | Stage.Egress;

/** What a filter asks for: `msm_plugin_info`, with defaults filled in and bounded. */
export interface PluginInfo {
  /** Bits of `Stage`: where the filter wants to run. */
  readonly stages: number;
  /** The most bytes of a datagram that are copied for the filter. */
  readonly windowBytes: number;
  readonly headroomBytes: number;
  readonly maxBatch: number;
  /** Datagrams that the filter may add in one call. */
  readonly emitCapacity: number;
  /** The most bytes of a datagram that it adds. */
  readonly slotBytes: number;
  /** For how long sessions stay when another generation takes over. */
  readonly drainMs: number;
}

/** What holds for a module without `msm_describe`. */
export const defaultPluginInfo: PluginInfo = {
  stages: Stage.Session,
  windowBytes: DEFAULT_SLOT_BYTES,
  headroomBytes: 0,
  maxBatch: DEFAULT_BATCH,
  emitCapacity: 0,
  slotBytes: DEFAULT_SLOT_BYTES,
  drainMs: DEFAULT_DRAIN_MS,
};

/** Asks the filter through `msm_describe`. Throws FilterFailure where it wants what this host does not serve. */
export function describePlugin(
  memory: GuestMemory,
  describe: (out: number, size: number) => number,
  canEmit: boolean,
): PluginInfo {
  const address = memory.allocate(INFO_BYTES);
  memory.bytes.fill(0, address, address + INFO_BYTES);
  memory.writeU32(address + InfoField.structSize, INFO_BYTES);
  const status = describe(address, INFO_BYTES);
  if (status !== Status.Ok) throw new FilterFailure("start", `msm_describe answered status ${status}`);
  memory.bind();
  const field = (offset: number) => memory.view.getUint32(address + offset, true);
  const stages = field(InfoField.stages) || Stage.Session;
  if ((stages & ~ALL_STAGES) !== 0)
    throw new FilterFailure(
      "unsupported_action",
      `stages ${stages}: there are LISTENER 1, SESSION 2, EGRESS 4`,
    );
  if (field(InfoField.emitCapacity) !== 0 && !canEmit) {
    throw new FilterFailure(
      "unsupported_action",
      "emit_capacity must be 0: this host does not emit datagrams",
    );
  }
  const slotBytes = Math.min(field(InfoField.slotSize) || DEFAULT_SLOT_BYTES, MAX_SLOT_BYTES);
  return {
    stages,
    windowBytes: Math.min(field(InfoField.window) || slotBytes, MAX_SLOT_BYTES),
    headroomBytes: Math.min(field(InfoField.headroom), MAX_HEADROOM_BYTES),
    maxBatch: Math.min(field(InfoField.maxBatch) || DEFAULT_BATCH, MAX_BATCH),
    emitCapacity: Math.min(field(InfoField.emitCapacity), MAX_EMITTED),
    slotBytes,
    drainMs: Math.min(field(InfoField.drainMs) || DEFAULT_DRAIN_MS, MAX_DRAIN_MS),
  };
}
