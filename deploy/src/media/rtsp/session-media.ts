// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** A track as a session description tells it. */
export interface DescribedTrack {
  readonly kind: "video" | "audio";
  readonly clockHz: number;
  /** The URL with which it is set up. */
  readonly url: string;
}

/** What a session description says of a stream, as far as a viewer needs it. */
export interface DescribedStream {
  /** The URL with which it is played as a whole. */
  readonly url: string;
  readonly tracks: readonly DescribedTrack[];
}

/** Clock rates of static payload types without an rtpmap (RFC 3551 section 6). */
const STATIC_CLOCKS: Readonly<Record<string, number>> = { "0": 8000, "8": 8000, "26": 90_000, "33": 90_000 };

/**
 * Reads a description whose URLs are relative to `base` (RFC 2326 appendix C.1.1). Media other than video and audio,
 * and those whose clock is not said, are left out.
 */
export function describedStream(sdp: string, base: string): DescribedStream {
  const [session = [], ...media] = sections(sdp);
  const url = resolveControl(attribute(session, "control") ?? "*", base);
  return { url, tracks: media.flatMap((lines) => describedTrack(lines, base)) };
}

/** The lines before the first `m=`, then those of each medium. */
function sections(sdp: string): readonly (readonly string[])[] {
  const found: string[][] = [[]];
  for (const line of sdp.split(/\r?\n/)) {
    if (line.startsWith("m=")) found.push([]);
    found.at(-1)!.push(line);
  }
  return found;
}

function describedTrack(lines: readonly string[], base: string): DescribedTrack[] {
  const [, kind, payloadType] = /^m=(video|audio) \d+ \S+ (\d+)/.exec(lines[0]!) ?? [];
  if ((kind !== "video" && kind !== "audio") || payloadType === undefined) return [];
  const map = attribute(lines, `rtpmap:${payloadType} `, " ");
  const clockHz = Number(map?.split("/")[1] ?? STATIC_CLOCKS[payloadType]);
  if (!(clockHz > 0)) return [];
  return [{ kind, clockHz, url: resolveControl(attribute(lines, "control") ?? "*", base) }];
}

function attribute(lines: readonly string[], name: string, separator = ":"): string | undefined {
  const prefix = `a=${name}${name.endsWith(separator) ? "" : separator}`;
  return lines
    .find((line) => line.startsWith(prefix))
    ?.slice(prefix.length)
    .trim();
}

function resolveControl(control: string, base: string): string {
  if (/^rtsp:\/\//i.test(control)) return control;
  if (control === "*") return base.replace(/\/$/, "");
  return `${base.endsWith("/") ? base : `${base}/`}${control}`;
}
