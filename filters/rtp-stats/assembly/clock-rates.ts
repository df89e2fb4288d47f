// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { ConfigReader } from "@msm/filter-sdk/assembly";
import { MAX_CLOCK_RATE } from "./jitter";

/** Clock in Hz by payload type; 0 where it is not known. */
const clockRates = new StaticArray<u32>(128);

/** Sets the static payload types of RFC 3551, tables 4 and 5. */
export function setStaticClockRates(): void {
  for (let type = 0; type < 128; type++) clockRates[type] = staticClockRate(type);
}

export function clockRateOf(payloadType: u32): u32 {
  return unchecked(clockRates[payloadType]);
}

/** Reads an object of payload types and clock rates, `{"96": 90000}`. */
export function readClockRates(config: ConfigReader): void {
  config.beginObject();
  while (config.nextKey()) {
    const payloadType = I32.parseInt(config.key);
    if (payloadType < 0 || payloadType > 127 || payloadType.toString() != config.key) {
      config.fail('clockRates: "' + config.key + '" is no payload type; use 0 to 127');
      return;
    }
    const rate = config.readNumber();
    if (rate < 1 || rate > <f64>MAX_CLOCK_RATE || rate != Math.floor(rate)) {
      config.fail("clockRates: the clock of " + config.key + " must be a whole number of 1 to 1000000 Hz");
      return;
    }
    clockRates[payloadType] = <u32>rate;
  }
}

function staticClockRate(payloadType: i32): u32 {
  switch (payloadType) {
    case 0: // PCMU
    case 3: // GSM
    case 4: // G723
    case 5: // DVI4
    case 7: // LPC
    case 8: // PCMA
    case 9: // G722, whose clock is 8000 by an old mistake (RFC 3551 section 4.5.2)
    case 12: // QCELP
    case 13: // CN
    case 15: // G728
    case 18: // G729
      return 8000;
    case 6: // DVI4
      return 16000;
    case 10: // L16, two channels
    case 11: // L16
      return 44100;
    case 16: // DVI4
      return 11025;
    case 17: // DVI4
      return 22050;
    case 14: // MPA
    case 25: // CelB
    case 26: // JPEG
    case 28: // nv
    case 31: // H261
    case 32: // MPV
    case 33: // MP2T
    case 34: // H263
      return 90000;
    default:
      return 0;
  }
}
