// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { BitWriter } from "./bit-writer.ts";
import {
  MACROBLOCK_BYTES,
  MACROBLOCK_COUNT,
  PICTURE_HEIGHT,
  PICTURE_WIDTH,
  type Picture,
  paintPicture,
} from "./h264-picture.ts";

/** Frames in a second, and from one IDR picture (at which a decoder can begin) to the next. */
export const FRAMES_PER_SECOND = 25;
export const FRAMES_PER_GROUP = 50;

/** `nal_unit_type`, ITU-T H.264 table 7-1. */
export const NalType = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8 } as const;

/** Marks our own SEI message, so that nobody takes another sender's for it (section D.2.7). */
const COUNTER_UUID = Buffer.from("6d736d2d6672616d652d636f756e7465", "hex");
const USER_DATA_UNREGISTERED = 5;

/** `log2_max_frame_num_minus4` is 0: frame_num has four bits. */
const FRAME_NUM_BITS = 4;

/** `mb_type` of I_PCM in an I slice (table 7-11), and in a P slice, where intra types come five later. */
const I_PCM = 25;
const P_SLICE_INTRA_OFFSET = 5;

/** The sequence parameter set: baseline, level 2, pictures shown in the order in which they are sent. */
export const SPS: Buffer = sequenceParameterSet();
/** The picture parameter set: CAVLC, one slice group, and slices that may turn the deblocking filter off. */
export const PPS: Buffer = pictureParameterSet();

/**
 * Encodes the moving test picture as baseline H.264 without an encoder: what changed since the frame before is
 * sent as raw I_PCM macroblocks, the rest is skipped. Lossless, and a frame costs well under two milliseconds.
 */
export class H264Encoder {
  readonly #firstCounter: number;
  #frame = 0;
  #current: Picture = paintPicture(0);
  #previous: Picture = paintPicture(0);

  /** The number of the first frame tells streams of one camera apart. */
  constructor(firstCounter = 0) {
    this.#firstCounter = firstCounter;
  }

  /** Returns the next frame as NAL units, without start codes; the frame's number is in its SEI message. */
  nextFrame(): readonly Buffer[] {
    const frame = this.#frame++;
    [this.#current, this.#previous] = [this.#previous, this.#current];
    paintPicture(frame, this.#current);
    const isIdr = frame % FRAMES_PER_GROUP === 0;
    const counter = counterMessage(this.#firstCounter + frame);
    if (isIdr) return [SPS, PPS, counter, idrSlice(frame, this.#current)];
    return [counter, predictedSlice(frame, this.#current, this.#previous)];
  }
}

/** Reads the frame number from an SEI NAL unit of `H264Encoder`; undefined for any other NAL unit. */
export function readFrameCounter(nal: Uint8Array): number | undefined {
  const uuidAt = 3; // After the NAL header, the payload's type and its size.
  if (nal.length < uuidAt + 24 || (nal[0]! & 0x1f) !== NalType.sei) return undefined;
  if (!COUNTER_UUID.equals(nal.subarray(uuidAt, uuidAt + 16))) return undefined;
  const digits = String.fromCharCode(...nal.subarray(uuidAt + 16, uuidAt + 24));
  return /^[0-9a-f]{8}$/.test(digits) ? Number.parseInt(digits, 16) : undefined;
}

/** The counter goes as hexadecimal text: eight bytes that never need escaping. */
function counterMessage(frame: number): Buffer {
  const text = Buffer.from((frame >>> 0).toString(16).padStart(8, "0"), "latin1");
  const payload = Buffer.concat([COUNTER_UUID, text]);
  const writer = new BitWriter().bits(USER_DATA_UNREGISTERED, 8).bits(payload.length, 8).bytes(payload);
  return nalUnit(NalType.sei, 0, writer.finish());
}

/** Section 7.3.2.1.1, with VUI timing so that players know the frame rate at once. */
function sequenceParameterSet(): Buffer {
  const writer = new BitWriter();
  writer.bits(66, 8).bits(0b11000000, 8).bits(20, 8); // Baseline, constrained; level 2.
  writer
    .ue(0)
    .ue(FRAME_NUM_BITS - 4)
    .ue(2); // Id; frame_num; picture order is decoding order.
  writer.ue(1).bits(0, 1); // One reference frame; no gaps.
  writer.ue(PICTURE_WIDTH / 16 - 1).ue(PICTURE_HEIGHT / 16 - 1);
  writer.bits(1, 1).bits(1, 1).bits(0, 1); // Frames only; direct_8x8_inference; no cropping.
  writer.bits(1, 1).bits(0, 4); // VUI without aspect ratio, overscan, video signal, chroma location.
  writer
    .bits(1, 1)
    .bits(1, 32)
    .bits(2 * FRAMES_PER_SECOND, 32)
    .bits(1, 1); // Timing in fields, fixed.
  writer.bits(0, 4); // No HRD, no pic_struct, no bitstream restriction.
  return nalUnit(NalType.sps, 3, writer.finish());
}

/** Section 7.3.2.2. */
function pictureParameterSet(): Buffer {
  const writer = new BitWriter();
  writer.ue(0).ue(0).bits(0, 1).bits(0, 1).ue(0); // Ids; CAVLC; no field order; one slice group.
  writer.ue(0).ue(0).bits(0, 1).bits(0, 2); // One reference each; no weighting.
  writer.se(0).se(0).se(0).bits(1, 1).bits(0, 1).bits(0, 1); // Quantisers; deblocking control present.
  return nalUnit(NalType.pps, 3, writer.finish());
}

function idrSlice(frame: number, picture: Picture): Buffer {
  const writer = new BitWriter();
  writer.ue(0).ue(7).ue(0).bits(0, FRAME_NUM_BITS); // First macroblock; all slices I; PPS; frame_num.
  // Adjacent IDR pictures need different ids; then no_output_of_prior_pics and long_term_reference.
  writer.ue((frame / FRAMES_PER_GROUP) % 2).bits(0, 2);
  writer.se(0).ue(1); // Quantiser; no deblocking.
  for (let macroblock = 0; macroblock < MACROBLOCK_COUNT; macroblock++) {
    writer.ue(I_PCM).align().bytes(samplesOf(picture, macroblock));
  }
  return nalUnit(NalType.idr, 3, writer.finish());
}

function predictedSlice(frame: number, picture: Picture, previous: Picture): Buffer {
  const writer = new BitWriter();
  const frameNum = (frame % FRAMES_PER_GROUP) % (1 << FRAME_NUM_BITS);
  writer.ue(0).ue(5).ue(0).bits(frameNum, FRAME_NUM_BITS); // First macroblock; all slices P; PPS; frame_num.
  writer.bits(0, 1).bits(0, 1).bits(0, 1); // Default reference count and list; sliding window marking.
  writer.se(0).ue(1); // Quantiser; no deblocking.
  let skipped = 0;
  for (let macroblock = 0; macroblock < MACROBLOCK_COUNT; macroblock++) {
    const samples = samplesOf(picture, macroblock);
    if (samples.equals(samplesOf(previous, macroblock))) {
      skipped++;
      continue;
    }
    writer
      .ue(skipped)
      .ue(P_SLICE_INTRA_OFFSET + I_PCM)
      .align()
      .bytes(samples);
    skipped = 0;
  }
  if (skipped > 0) writer.ue(skipped);
  return nalUnit(NalType.slice, 2, writer.finish());
}

function samplesOf(picture: Picture, macroblock: number): Buffer {
  return picture.subarray(macroblock * MACROBLOCK_BYTES, (macroblock + 1) * MACROBLOCK_BYTES);
}

/** Puts the header before a payload and a 3 between two zeros and a byte below 4 (section 7.4.1). */
function nalUnit(type: number, refIdc: number, payload: Buffer): Buffer {
  const pieces: Buffer[] = [Buffer.from([(refIdc << 5) | type])];
  let copied = 0;
  for (let zeros = payload.indexOf("\0\0", 0, "latin1"); zeros >= 0; ) {
    const next = payload[zeros + 2];
    if (next !== undefined && next <= 3) {
      pieces.push(payload.subarray(copied, zeros + 2), Buffer.from([3]));
      copied = zeros + 2;
    }
    zeros = payload.indexOf("\0\0", next !== undefined && next <= 3 ? zeros + 2 : zeros + 1, "latin1");
  }
  pieces.push(payload.subarray(copied));
  return Buffer.concat(pieces);
}
