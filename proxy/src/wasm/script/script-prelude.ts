// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * What runs in a script's engine before the script: JavaScript for QuickJS, not for Node. It lays objects over the
 * batch, which lies in the engine's own memory in the layout of `msm_batch`, so that reading a field is one element of
 * a typed array; there is one object for each place in the batch, made once. It completes the object `msm` and answers
 * the functions that the host calls. filters/sdk/javascript/msm.d.ts describes what a script sees.
 */
export const scriptPrelude = `(function (msm) {
  "use strict";
  const FLAGS_DIRTY = 0x100, FLAGS_RETARGET = 0x200, FLAGS_TX_TIME = 0x400, FLAGS_SET_KEY = 0x800, TO_CLIENT = 1;
  const MS = 1e6, TWO_32 = 0x100000000;
  let buffer, u8, u16, u32, base = 0;

  class Datagram {
    constructor(batch, index) {
      this.batch = batch;
      this.index = index;
      this.at2 = 0;
      this.at4 = 0;
      this.view = undefined;
    }
    get start() { return u32[this.at4] - base; }
    get length() { return u16[this.at2 + 2]; }
    set length(bytes) { u16[this.at2 + 2] = bytes; }
    get available() { return Math.min(u16[this.at2 + 3], u16[this.at2 + 2]); }
    get session() { return u32[this.at4 + 2]; }
    get toClient() { return (u16[this.at2 + 6] & TO_CLIENT) !== 0; }
    get tos() { return u8[2 * this.at2 + 14]; }
    set tos(value) { u8[2 * this.at2 + 14] = value; }
    get ttl() { return u8[2 * this.at2 + 15]; }
    set ttl(value) { u8[2 * this.at2 + 15] = value; }
    get receivedMs() { return (u32[this.at4 + 4] + u32[this.at4 + 5] * TWO_32) / MS; }
    get mark() { return u32[this.at4 + 10]; }
    set mark(value) { u32[this.at4 + 10] = value; }
    get target() { return u32[this.at4 + 7]; }
    set target(number) { u32[this.at4 + 7] = number; }
    get user() { return u32[this.at4 + 12]; }
    set user(value) { u32[this.at4 + 12] = value; }
    get data() {
      const { start, available, view } = this;
      if (view !== undefined && view.byteOffset === start && view.length === available) return view;
      return (this.view = new Uint8Array(buffer, start, available));
    }
    u8(i) { return i < this.available ? u8[this.start + i] : undefined; }
    u16(i) {
      if (i + 2 > this.available) return undefined;
      const at = this.start + i;
      return (u8[at] << 8) | u8[at + 1];
    }
    u32(i) {
      if (i + 4 > this.available) return undefined;
      const at = this.start + i;
      return ((u8[at] << 24) | (u8[at + 1] << 16) | (u8[at + 2] << 8) | u8[at + 3]) >>> 0;
    }
    setU8(i, value) { this.put(i, 1, value); }
    setU16(i, value) { this.put(i, 2, value); }
    setU32(i, value) { this.put(i, 4, value); }
    put(i, size, value) {
      if (i < 0 || i + size > this.available) throw new RangeError("byte " + i + " is not in the datagram");
      const at = this.start + i;
      for (let k = 0; k < size; k++) u8[at + k] = value >>> (8 * (size - 1 - k));
      this.markDirty();
    }
    markDirty() { u16[this.at2 + 6] |= FLAGS_DIRTY; }
    trimStart(bytes) {
      if (bytes > this.length) throw new RangeError("the datagram is shorter");
      u32[this.at4] += bytes;
      u16[this.at2 + 2] -= bytes;
      u16[this.at2 + 3] = Math.max(0, u16[this.at2 + 3] - bytes);
    }
    prepend(bytes) {
      if (bytes > u32[7]) throw new RangeError("wants.headroom is less");
      u32[this.at4] -= bytes;
      u16[this.at2 + 2] += bytes;
      u16[this.at2 + 3] += bytes;
      this.markDirty();
    }
    drop(reason = 0) { u8[2 * this.at2 + 24] = 2; u8[2 * this.at2 + 25] = reason; }
    consume() { u8[2 * this.at2 + 24] = 3; }
    pause() { u8[2 * this.at2 + 24] = 1; }
    reply() { u8[2 * this.at2 + 24] = 4; }
    sendAt(ms) {
      const ns = Math.max(0, Math.floor(ms * MS));
      u32[this.at4 + 8] = ns % TWO_32;
      u32[this.at4 + 9] = Math.floor(ns / TWO_32);
      u16[this.at2 + 6] |= FLAGS_TX_TIME;
    }
    retarget(target) { u32[this.at4 + 7] = target; u16[this.at2 + 6] |= FLAGS_RETARGET; }
    setKey(low, high = 0) {
      u32[this.at4 + 12] = low;
      u32[this.at4 + 13] = high;
      u16[this.at2 + 6] |= FLAGS_SET_KEY;
    }
    get source() {
      const at = u32[this.at4 + 11] - base;
      if (at < 0) return undefined;
      const address = u8.slice(at + 8, at + (u8[at] === 4 ? 12 : 24));
      return { address, port: u8[at + 2] | (u8[at + 3] << 8) };
    }
  }

  class Batch {
    constructor() {
      this.datagrams = [];
    }
    get count() { return u32[2]; }
    get nowMs() { return (u32[8] + u32[9] * TWO_32) / MS; }
    get wallMs() { return (u32[10] + u32[11] * TWO_32) / MS; }
    at(i) { return i < u32[2] ? this.datagrams[i] : undefined; }
    *[Symbol.iterator]() { for (let i = 0; i < u32[2]; i++) yield this.datagrams[i]; }
    markUnchanged() { u32[13] = 1; }
    add(session, toClient, payload) {
      const i = u32[2] + u32[12];
      if (i >= u32[3]) return undefined;
      const datagram = this.datagrams[i];
      if (payload.length > u32[6] - u32[7] - 3) throw new RangeError("the payload is longer than wants.slotSize");
      u8.set(payload, datagram.start);
      u16[datagram.at2 + 2] = payload.length;
      u16[datagram.at2 + 3] = payload.length;
      u16[datagram.at2 + 6] = toClient ? TO_CLIENT : 0;
      u32[datagram.at4 + 2] = session;
      u32[12]++;
      return datagram;
    }
  }
  const batch = new Batch();

  /** A filter's own bytes, wherever a typed array has them. */
  const exactly = (value) =>
    ArrayBuffer.isView(value) ? value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength) : value;
  const bytes = (value) => value && new Uint8Array(value);
  for (const name of ["buffer", "propertyBytes", "dequeue"]) {
    const call = msm[name];
    msm[name] = (...values) => bytes(call(...values));
  }
  for (const name of ["setBuffer", "setProperty", "setSharedData", "enqueue", "openSink", "writeSink"]) {
    const call = msm[name];
    msm[name] = (...values) => call(...values.map(exactly));
  }
  const { sharedData, setTimer, defineMetric, incrementMetric, recordMetric, readMetric } = msm;
  msm.sharedData = (key) => {
    const found = sharedData(key);
    return found && { value: bytes(found.value), version: found.version };
  };
  msm.setTimer = (context, id, delayMs, periodMs = 0) => setTimer(context, id, delayMs * 1000, periodMs * 1000);
  const metric = (type, name) => {
    const id = defineMetric(type, name);
    return Object.freeze({
      add: (delta = 1) => incrementMetric(id, delta),
      set: (value) => recordMetric(id, value),
      observe: (value) => recordMetric(id, value),
      get: () => readMetric(id),
    });
  };
  msm.counter = (name) => metric(0, name);
  msm.gauge = (name) => metric(1, name);
  msm.histogram = (name) => metric(2, name);
  msm.info = (text) => msm.log(2, text);
  msm.warn = (text) => msm.log(3, text);
  msm.error = (text) => msm.log(4, text);
  for (const name of ["defineMetric", "incrementMetric", "recordMetric", "readMetric"]) delete msm[name];
  Object.defineProperty(globalThis, "msm", { value: Object.freeze(msm) });

  return {
    /** Lays the batch over its memory. */
    bind(memory, address) {
      buffer = memory;
      u8 = new Uint8Array(memory);
      u16 = new Uint16Array(memory);
      u32 = new Uint32Array(memory);
      base = address;
      const first = u32[4] - base;
      for (let i = 0; i < u32[3]; i++) {
        const datagram = (batch.datagrams[i] ??= new Datagram(batch, i));
        datagram.at4 = (first + 64 * i) >> 2;
        datagram.at2 = (first + 64 * i) >> 1;
      }
    },
    run: (call) => call(batch),
    runTimer: (call, context, timer) => call(context, timer, batch),
  };
})`;
