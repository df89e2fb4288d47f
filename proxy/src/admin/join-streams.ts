// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { LiveStream } from "../datapath/datapath.ts";

/**
 * Joins what receivers reported with the streams that they reported on. Reports travel on the RTCP port, the one
 * after that of RTP (RFC 3550 section 11), and so in another session, whose row has no packets of its own.
 */
export function joinStreams(rows: readonly LiveStream[]): readonly LiveStream[] {
  const reports = rows.filter(isReport);
  const used = new Set<LiveStream>();
  const streams = rows
    .filter((row) => !isReport(row))
    .map((stream) => {
      if (stream.far !== null) return stream;
      const about = reports.filter((report) => isAbout(report, stream));
      // One SSRC may travel both ways, as an echo does; then the direction tells whose report it is.
      const report = about.find((r) => r.upstreamDirection === stream.upstreamDirection) ?? about[0];
      if (report === undefined) return stream;
      used.add(report);
      return { ...stream, far: report.far };
    });
  return [...streams, ...reports.filter((report) => !used.has(report))];
}

function isReport({ packets, far }: LiveStream): boolean {
  return packets === 0 && far !== null;
}

function isAbout(report: LiveStream, stream: LiveStream): boolean {
  const [rtcp, rtp] = [splitPort(report.client), splitPort(stream.client)];
  return report.ssrc === stream.ssrc && rtcp.host === rtp.host && rtcp.port === rtp.port + 1;
}

function splitPort(client: string): { readonly host: string; readonly port: number } {
  const colon = client.lastIndexOf(":");
  return { host: client.slice(0, colon), port: Number(client.slice(colon + 1)) };
}
