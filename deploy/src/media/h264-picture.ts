// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Width and height of the picture in samples: whole macroblocks of 16 by 16. */
export const PICTURE_WIDTH = 320;
export const PICTURE_HEIGHT = 240;

/** Macroblocks in a row and in the picture. */
export const MACROBLOCKS_WIDE = PICTURE_WIDTH / 16;
export const MACROBLOCK_COUNT = MACROBLOCKS_WIDE * (PICTURE_HEIGHT / 16);

/** Bytes of one macroblock in 4:2:0: 256 of luma, then 64 of each chroma, in the order in which I_PCM has them. */
export const MACROBLOCK_BYTES = 384;

type Colour = readonly [luma: number, cb: number, cr: number];

/** Bars of 75 % in BT.601, left to right. No sample is below 16, so PCM bytes never look like a start code. */
const BARS: readonly Colour[] = [
  [180, 128, 128],
  [162, 44, 142],
  [131, 156, 44],
  [112, 72, 58],
  [84, 184, 198],
  [65, 100, 212],
  [35, 212, 114],
];
const BLACK: Colour = [16, 128, 128];
const WHITE: Colour = [235, 128, 128];

/** Digits 0 to 9, three columns by five rows, the top left in the highest bit. */
const GLYPHS = [0x7b6f, 0x2c97, 0x73e7, 0x73cf, 0x5bc9, 0x79cf, 0x79ef, 0x7249, 0x7bef, 0x7bcf];
/** A dot of a digit is 8 by 8 samples; digits stand on a black strip at the bottom. */
const DOT = 8;
const DIGIT_COUNT = 6;
const DIGIT_PITCH = 4 * DOT;
const STRIP_TOP = 176;

/** The moving square: side, and samples that it moves in a frame. */
const SQUARE = 32;
const STEP = 4;

/** The picture's samples, macroblock after macroblock. */
export type Picture = Buffer;

const background = paintBackground();

/**
 * Paints frame number `frame` of the moving test picture into `picture` (made anew when absent): colour bars, a
 * square that wanders over them, and the frame's number in digits. The same number always gives the same picture.
 */
export function paintPicture(frame: number, picture: Picture = Buffer.alloc(background.length)): Picture {
  picture.set(background);
  const left = bounce(frame * STEP, PICTURE_WIDTH - SQUARE);
  const top = bounce(frame * STEP, STRIP_TOP - SQUARE);
  paintRectangle(picture, left, top, SQUARE, SQUARE, WHITE);
  paintRectangle(picture, left + 8, top + 8, SQUARE - 16, SQUARE - 16, BLACK);
  const digits = String(frame % 10 ** DIGIT_COUNT).padStart(DIGIT_COUNT, "0");
  const start = (PICTURE_WIDTH - DIGIT_COUNT * DIGIT_PITCH) / 2;
  for (let i = 0; i < DIGIT_COUNT; i++) {
    paintDigit(picture, start + i * DIGIT_PITCH, STRIP_TOP + 16, Number(digits[i]));
  }
  return picture;
}

/** Where a point is that runs to and fro between 0 and `limit`. */
function bounce(distance: number, limit: number): number {
  const position = distance % (2 * limit);
  return position <= limit ? position : 2 * limit - position;
}

function paintBackground(): Picture {
  const picture = Buffer.alloc(MACROBLOCK_COUNT * MACROBLOCK_BYTES);
  // Bars begin at even columns: one chroma sample covers two of luma.
  const edges = BARS.map((_, bar) => 2 * Math.round((bar * PICTURE_WIDTH) / BARS.length / 2));
  BARS.forEach((colour, bar) => {
    const left = edges[bar]!;
    paintRectangle(picture, left, 0, (edges[bar + 1] ?? PICTURE_WIDTH) - left, STRIP_TOP, colour);
  });
  paintRectangle(picture, 0, STRIP_TOP, PICTURE_WIDTH, PICTURE_HEIGHT - STRIP_TOP, BLACK);
  return picture;
}

function paintDigit(picture: Picture, left: number, top: number, digit: number): void {
  const glyph = GLYPHS[digit]!;
  for (let dot = 0; dot < 15; dot++) {
    if (((glyph >> (14 - dot)) & 1) === 0) continue;
    paintRectangle(picture, left + (dot % 3) * DOT, top + Math.floor(dot / 3) * DOT, DOT, DOT, WHITE);
  }
}

/** Fills a rectangle; its position and size are even, for the sake of the chroma samples. */
function paintRectangle(
  picture: Picture,
  left: number,
  top: number,
  width: number,
  height: number,
  [luma, cb, cr]: Colour,
): void {
  for (let y = top; y < top + height; y++) {
    for (let x = left; x < left + width; x++) {
      const macroblock = ((y >> 4) * MACROBLOCKS_WIDE + (x >> 4)) * MACROBLOCK_BYTES;
      picture[macroblock + (y & 15) * 16 + (x & 15)] = luma;
      if (((x | y) & 1) !== 0) continue;
      const chroma = macroblock + 256 + ((y & 15) >> 1) * 8 + ((x & 15) >> 1);
      picture[chroma] = cb;
      picture[chroma + 64] = cr;
    }
  }
}
