// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Samples in a second of PCMU, and in one datagram of 20 ms (RFC 3551 section 4.2). */
export const SAMPLES_PER_SECOND = 8000;
export const SAMPLES_PER_PACKET = 160;

const TONE_HZ = 440;
/** A quarter of full scale. */
const AMPLITUDE = 8192;
/** After 200 samples (11 waves of 440 Hz) the tone's samples repeat. */
const PERIOD_SAMPLES = 200;

const period = Buffer.from(
  Array.from({ length: PERIOD_SAMPLES }, (_, sample) =>
    encodeMuLaw(Math.round(AMPLITUDE * Math.sin((2 * Math.PI * TONE_HZ * sample) / SAMPLES_PER_SECOND))),
  ),
);
/** Two periods, so that a packet is always one slice of it. */
const tone = Buffer.concat([period, period]);

/** Returns 20 ms of a 440 Hz tone in G.711 µ-law; packets with consecutive indices join without a click. */
export function pcmuTone(index: number): Buffer {
  const start = (index * SAMPLES_PER_PACKET) % PERIOD_SAMPLES;
  return tone.subarray(start, start + SAMPLES_PER_PACKET);
}

/** Encodes a 16-bit linear sample as G.711 µ-law: sign, three bits of exponent, four of mantissa, inverted. */
export function encodeMuLaw(sample: number): number {
  const BIAS = 132;
  const CLIP = 32_635;
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), CLIP) + BIAS;
  const exponent = 24 - Math.clz32(magnitude);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}
