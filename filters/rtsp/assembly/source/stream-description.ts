// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Sdp, TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { MediaFlow } from "../flows/media-flow";
import { asBase, resolveUrl } from "../protocol/rtsp-url";
import { Track, trackName, trackUrl } from "./track";

/** The tracks of a description that a server gave of the stream at `url`. */
export function tracksOf(sdp: Sdp, base: string, url: string): Track[] {
  const tracks: Track[] = [];
  for (let i = 0; i < sdp.media.length; i++) {
    const flow = new MediaFlow(url + " track " + i.toString());
    const track = new Track(i, sdp.media[i], trackName(sdp.media[i], i, base), flow);
    track.url = trackUrl(sdp.media[i], base);
    tracks.push(track);
  }
  return tracks;
}

/** What the tracks of a description are relative to (RFC 2326 appendix C.1.1). */
export function baseOf(answer: TextMessage, url: string): string {
  if (answer.has("content-base")) return asBase(answer.field("content-base"));
  return asBase(answer.has("content-location") ? resolveUrl(url, answer.field("content-location")) : url);
}

/** Whether readers of one stream can go on with another one. */
export function isAlike(sdp: Sdp, known: Sdp): bool {
  if (sdp.media.length != known.media.length) return false;
  for (let i = 0; i < sdp.media.length; i++) {
    const one = sdp.media[i];
    const other = known.media[i];
    if (one.kind != other.kind || one.protocol != other.protocol || one.clockRate != other.clockRate)
      return false;
    if (one.payloadTypes.toString() != other.payloadTypes.toString()) return false;
  }
  return true;
}
