// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
/// <reference types="@msm/filter-sdk/javascript" />

// Adds a number to the SSRC of RTP and drops what is no RTP.
const NOT_RTP = 1;

// RFC 3550 section 5.1: version 2, a header of 12 bytes, the SSRC from byte 8 on.
const HEADER_BYTES = 12;
const SSRC = 8;

/** @type {msm.Wants} */
export const wants = { window: HEADER_BYTES };

const rewritten = msm.counter("rewritten");
let offset = 1;

/** @returns {void} */
export function configure() {
  msm.defineReason(NOT_RTP, "not_rtp");
  for (const [key, value] of Object.entries(JSON.parse(msm.configuration() || "{}"))) {
    if (key !== "offset") throw new Error(`unknown field ${key}`);
    if (!Number.isInteger(value)) throw new Error("offset must be a whole number");
    offset = value;
  }
}

/** @param {msm.Batch} batch */
export function onDatagrams(batch) {
  let count = 0;
  for (let i = 0; i < batch.count; i++) {
    const datagram = batch.at(i);
    if (datagram.length < HEADER_BYTES || datagram.u8(0) >> 6 !== 2) {
      datagram.drop(NOT_RTP);
      continue;
    }
    datagram.setU32(SSRC, datagram.u32(SSRC) + offset);
    count++;
  }
  if (count > 0) rewritten.add(count);
}
