// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FRAMES_PER_GROUP, H264Encoder, NalType, PPS, readFrameCounter, SPS } from "./h264-encoder.ts";
import { MACROBLOCK_BYTES, MACROBLOCK_COUNT, MACROBLOCKS_WIDE, paintPicture } from "./h264-picture.ts";

const typeOf = (nal: Uint8Array) => nal[0]! & 0x1f;

test("begins each group with parameter sets and an IDR picture and goes on with small predicted ones", () => {
  const encoder = new H264Encoder();
  const frames = Array.from({ length: FRAMES_PER_GROUP + 1 }, () => encoder.nextFrame());
  const { sps, pps, sei, idr, slice } = NalType;
  expect(frames[0]!.map(typeOf)).toEqual([sps, pps, sei, idr]);
  expect(frames[FRAMES_PER_GROUP]!.map(typeOf)).toEqual([sps, pps, sei, idr]);
  for (const predicted of frames.slice(1, -1)) {
    expect(predicted.map(typeOf)).toEqual([sei, slice]);
    expect(predicted[1]!.length).toBeLessThan(10_000);
  }
});

test("numbers the frames from zero without a gap", () => {
  const encoder = new H264Encoder();
  const counters = Array.from({ length: 120 }, () =>
    encoder
      .nextFrame()
      .map(readFrameCounter)
      .find((counter) => counter !== undefined),
  );
  expect(counters).toEqual(Array.from({ length: 120 }, (_, i) => i));
});

test("finds no frame number in anything else and never throws", () => {
  for (const nal of [SPS, PPS]) expect(readFrameCounter(nal)).toBeUndefined();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(readFrameCounter(bytes)).toBeUndefined();
    }),
  );
});

test("never writes a start code inside a NAL unit", () => {
  const encoder = new H264Encoder();
  for (let frame = 0; frame < 60; frame++) {
    for (const nal of encoder.nextFrame()) {
      for (const code of ["\0\0\0", "\0\0\x01", "\0\0\x02"]) expect(nal.indexOf(code, 0, "latin1")).toBe(-1);
    }
  }
});

const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;

test.skipIf(!hasFfmpeg)(
  "decodes with ffmpeg to the very samples that were painted, without a warning",
  () => {
    const encoder = new H264Encoder();
    const frames = 60;
    const startCode = Buffer.from([0, 0, 0, 1]);
    const stream = Buffer.concat(
      Array.from({ length: frames }, () => encoder.nextFrame().flatMap((nal) => [startCode, nal])).flat(),
    );
    const decoder = spawnSync(
      "ffmpeg",
      ["-loglevel", "warning", "-f", "h264", "-i", "-", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"],
      { input: stream, maxBuffer: 1 << 26 },
    );
    expect(decoder.stderr.toString()).toBe("");
    const frameBytes = MACROBLOCK_COUNT * MACROBLOCK_BYTES;
    expect(decoder.stdout.length).toBe(frames * frameBytes);
    for (const frame of [0, 1, 37, 49, 50, 59]) {
      const decoded = decoder.stdout.subarray(frame * frameBytes, (frame + 1) * frameBytes);
      expect(decoded.equals(toPlanes(paintPicture(frame))), `frame ${frame}`).toBe(true);
    }
  },
);

/** Reorders a picture from macroblocks to three planes. */
function toPlanes(picture: Buffer): Buffer {
  const planes = Buffer.alloc(picture.length);
  const lumaBytes = MACROBLOCK_COUNT * 256;
  for (let block = 0; block < MACROBLOCK_COUNT; block++) {
    const [row, column] = [Math.floor(block / MACROBLOCKS_WIDE), block % MACROBLOCKS_WIDE];
    const at = block * MACROBLOCK_BYTES;
    for (let y = 0; y < 16; y++) {
      const target = (row * 16 + y) * MACROBLOCKS_WIDE * 16 + column * 16;
      picture.copy(planes, target, at + y * 16, at + y * 16 + 16);
    }
    for (let plane = 0; plane < 2; plane++) {
      for (let y = 0; y < 8; y++) {
        const target =
          lumaBytes + plane * (lumaBytes / 4) + (row * 8 + y) * MACROBLOCKS_WIDE * 8 + column * 8;
        const source = at + 256 + plane * 64 + y * 8;
        picture.copy(planes, target, source, source + 8);
      }
    }
  }
  return planes;
}
