// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// The structs of ABI.md laid over memory: reading a field is one load, nothing is copied or allocated.

/** What becomes of a datagram. */
export enum Action {
  Continue = 0,
  /** Kept by the host until `continueSession`. */
  Pause = 1,
  Drop = 2,
  /** Taken over by the filter; not forwarded and not counted as dropped. */
  Consume = 3,
  /** Sent back to where it came from. */
  Reply = 4,
}

/** Bits of `Datagram.flags`. */
export enum Flag {
  /** From the upstream endpoint to the downstream client. */
  UpstreamDirection = 1,
  Truncated = 2,
  Multicast = 4,
  Emitted = 8,
  GsoLast = 16,
  /** Set by the filter: it wrote to the payload. */
  Dirty = 0x100,
  /** Set by the filter: it goes to `target`. */
  Retarget = 0x200,
  /** Set by the filter: `txNs` holds. */
  TxTime = 0x400,
  /** Set by the filter, at stage LISTENER: `user` says which session it is of. */
  SetKey = 0x800,
}

/** Where a filter may run: bits of `PluginInfo.stages`. */
export enum Stage {
  /** Before a session is looked for. */
  Listener = 1,
  Session = 2,
  /** Behind the fan-out of a flow, with a session for each receiver. */
  Egress = 4,
}

/** Where a datagram at stage LISTENER comes from and where it was sent to: `msm_addrs`. */
@unmanaged
export class Addresses {
  /** 4 or 6. */
  family: u8;
  pad: u8;
  sport: u16;
  dport: u16;
  pad2: u16;
  /** An IPv4 address has the first four bytes: `sourceAddress`. */
  src: u64;
  srcRest: u64;
  dst: u64;
  dstRest: u64;

  /** Address of the client's IP address, `addressBytes` long. */
  @inline
  get sourceAddress(): usize {
    return changetype<usize>(this) + offsetof<Addresses>("src");
  }

  /** Address of the listener's IP address. */
  @inline
  get destinationAddress(): usize {
    return changetype<usize>(this) + offsetof<Addresses>("dst");
  }

  @inline
  get addressBytes(): u32 {
    return this.family == 4 ? 4 : 16;
  }
}

/** One datagram of a batch: `msm_dgram`. */
@unmanaged
export class Datagram {
  /** Address of the payload. */
  data: u32;
  /** Length on the wire. */
  len: u16;
  /** Bytes present at `data`: the length, or the filter's window where that is less. */
  avail: u16;
  /** Context id of the session. */
  session: u32;
  flags: u16;
  /** DSCP and ECN. */
  tos: u8;
  ttl: u8;
  /** Kernel receive time, wall clock. */
  rxNs: u64;
  action: u8;
  /** With `Action.Drop`: why; a code that `defineReason` named. */
  reason: u8;
  after: u16;
  /** Of an added datagram: where it goes instead of its session, from `resolveTarget`. For others call `retarget`. */
  target: u32;
  txNs: u64;
  mark: u32;
  addrs: u32;
  user: u64;
  rsv: u64;

  /** 1 from the upstream endpoint to the client, 0 from the client to the endpoint. */
  @inline
  get direction(): u32 {
    return <u32>this.flags & Flag.UpstreamDirection;
  }

  /** Drops the datagram for a reason that `defineReason` named. */
  @inline
  drop(reason: u8): void {
    this.action = <u8>Action.Drop;
    this.reason = reason;
  }

  /** Keeps the datagram from leaving before `ns`, on the clock of `Batch.nowNs`. */
  @inline
  sendAt(ns: u64): void {
    this.txNs = ns;
    this.flags |= <u16>Flag.TxTime;
  }

  /** Sends the datagram to a target, from `resolveTarget`, instead of where its session goes. */
  @inline
  retarget(target: u32): void {
    this.target = target;
    this.flags |= <u16>Flag.Retarget;
  }

  /** At stage LISTENER: says which session the datagram is of, wherever its client sends from. */
  @inline
  setKey(key: u64): void {
    this.user = key;
    this.flags |= <u16>Flag.SetKey;
  }

  /** Where the datagram comes from; only at stage LISTENER. */
  @inline
  get addresses(): Addresses {
    return changetype<Addresses>(<usize>this.addrs);
  }

  /** Says that the payload was written to. */
  @inline
  markDirty(): void {
    this.flags |= <u16>Flag.Dirty;
  }
}

/** Bits of `Batch.flags`. */
export enum BatchFlag {
  Unchanged = 1,
}

/** The datagrams of one call: `msm_batch`. */
@unmanaged
export class Batch {
  structSize: u32;
  descSize: u32;
  count: u32;
  capacity: u32;
  descs: u32;
  slots: u32;
  slotSize: u32;
  headroom: u32;
  /** Monotonic. */
  nowNs: u64;
  wallNs: u64;
  emitted: u32;
  flags: u32;
  order: u32;
  orderLen: u32;

  /**
   * Says that no descriptor and no payload was changed: everything goes on as it came and the host looks at none of
   * them again, which is a fifth of what a small filter costs. Whatever was changed all the same is not seen.
   */
  @inline
  markUnchanged(): void {
    this.flags = <u32>BatchFlag.Unchanged;
  }

  /** Datagram `i`, which is below `count`. */
  @inline
  at(i: u32): Datagram {
    return changetype<Datagram>(<usize>this.descs + ((<usize>i) << 6));
  }

  /** Whether the filter may add another datagram. */
  @inline
  get hasRoom(): bool {
    return this.count + this.emitted < this.capacity;
  }

  /**
   * Adds a datagram to `session`, to the client where `isToClient`, else to the endpoint. Write its payload at `data`
   * and set `len`. Ask `hasRoom` first.
   */
  @inline
  add(session: u32, isToClient: bool): Datagram {
    const datagram = this.at(this.count + this.emitted++);
    datagram.session = session;
    datagram.flags = isToClient ? <u16>Flag.UpstreamDirection : 0;
    return datagram;
  }
}

/** What a filter asks for: `msm_plugin_info`. Fields that stay 0 mean the host's default. */
@unmanaged
export class PluginInfo {
  structSize: u32;
  /** Bits of `Stage`: where the filter may be used; 0 for sessions alone. */
  stages: u32;
  /** Bytes of each datagram that the filter wants to see; 0 for the whole. */
  window: u32;
  maxBatch: u32;
  emitCapacity: u32;
  /** Bytes before each payload that the filter may write. */
  headroom: u32;
  slotSize: u32;
  /** Milliseconds for which sessions stay with this filter when a new version takes its place. */
  drainMs: u32;
}

/** Bits of `StreamInfo.flags`. */
export enum StreamFlag {
  UpstreamDirection = 1,
  /** The `far` fields are valid. */
  Far = 2,
  /** `farRoundTripNs` is valid. */
  RoundTrip = 4,
}

/** One stream as a filter reports it: `msm_stream`. */
@unmanaged
export class StreamInfo {
  structSize: u32;
  flags: u32;
  ssrc: u32;
  clockRate: u32;
  payloadType: u32;
  restarts: u32;
  packets: u64;
  bytes: u64;
  lost: i64;
  reordered: u64;
  duplicated: u64;
  jitterNs: u64;
  /** Eight-bit fraction of RFC 3550 section 6.4.1. */
  farFractionLost: u32;
  farCumulativeLost: i32;
  farJitterNs: u64;
  farRoundTripNs: u64;
}
