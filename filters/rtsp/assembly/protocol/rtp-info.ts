// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { lowerCase, splitOutsideQuotes } from "@msm/filter-sdk/assembly/signalling";

/** Where a track begins: one entry of an RTP-Info field (RFC 2326 section 12.33). */
export class RtpInfo {
  url: string = "";
  /** `;seq=…` and `;rtptime=…` as they came. */
  start: string = "";

  static parseAll(field: string): RtpInfo[] {
    const found: RtpInfo[] = [];
    const entries = splitOutsideQuotes(field, ",");
    for (let i = 0; i < entries.length; i++) {
      const info = new RtpInfo();
      const parts = splitOutsideQuotes(entries[i], ";");
      for (let j = 0; j < parts.length; j++) {
        const part = lowerCase(parts[j]);
        if (part.startsWith("url=")) info.url = parts[j].substring(4);
        if (part.startsWith("seq=") || part.startsWith("rtptime=")) info.start += ";" + part;
      }
      if (info.url.length > 0) found.push(info);
    }
    return found;
  }
}
