// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Track } from "./track";

/**
 * The track that a URL names, by the end of it: what stands before differs with how a client resolved it. The only track
 * of a stream needs no name. Null where there is none.
 */
export function findTrack(tracks: Track[], url: string): Track | null {
  let found: Track | null = null;
  for (let i = 0; i < tracks.length; i++) {
    const track = tracks[i];
    if (!endsWithName(url, track.name) && !endsWithName(url, track.media.control)) continue;
    if (found == null || track.name.length > found.name.length) found = track;
  }
  if (found == null && tracks.length == 1) return tracks[0];
  return found;
}

/** Whether `name` is the last part of `url`, and not only the end of a longer name. */
function endsWithName(url: string, name: string): bool {
  if (name.length == 0 || !url.endsWith(name)) return false;
  if (url.length == name.length) return true;
  const first = name.charCodeAt(0);
  const before = url.charCodeAt(url.length - name.length - 1);
  // A slash, a question mark or an ampersand.
  return isSeparator(before) || isSeparator(first);
}

function isSeparator(code: i32): bool {
  return code == 0x2f || code == 0x3f || code == 0x26;
}
