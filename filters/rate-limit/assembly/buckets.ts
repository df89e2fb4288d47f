// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** What a session may still send in one direction. */
@unmanaged
export class Bucket {
  filledNs: u64;
  datagrams: f64;
  bytes: f64;
  isNew: bool;
}

const BUCKET_BYTES: usize = 32;

/** Contexts of sessions are dense; this is far more than a worker holds. */
const MAX_SESSIONS: u32 = 65_536;

/**
 * Two buckets for each session, by its context: one for each direction. The table grows in pieces, which stay where they
 * are, as sessions come; sessions above its limit share the last place.
 */
export class BucketTable {
  private readonly pieces: StaticArray<usize> = new StaticArray<usize>(256);

  find(session: u32, direction: u32): Bucket {
    const index = min(session, MAX_SESSIONS - 1);
    let piece = unchecked(this.pieces[index >> 8]);
    if (piece == 0) {
      piece = heap.alloc(512 * BUCKET_BYTES);
      for (let i: usize = 0; i < 512; i++) reset(changetype<Bucket>(piece + i * BUCKET_BYTES));
      this.pieces[index >> 8] = piece;
    }
    return changetype<Bucket>(piece + (((<usize>index & 255) << 1) + direction) * BUCKET_BYTES);
  }

  /** A session is over: the next one with its context begins anew. */
  remove(session: u32): void {
    const index = min(session, MAX_SESSIONS - 1);
    if (unchecked(this.pieces[index >> 8]) == 0) return;
    reset(this.find(session, 0));
    reset(this.find(session, 1));
  }
}

function reset(bucket: Bucket): void {
  bucket.filledNs = 0;
  bucket.datagrams = 0;
  bucket.bytes = 0;
  bucket.isNew = true;
}
