// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** More would make a configuration that nobody wrote by hand; their tokens belong into a service of their own. */
export const MAX_ROUTES: u32 = 1_024;

export const MAX_TOKEN_BYTES: u32 = 32;

/** The longest `[ipv6]:port`. */
const MAX_ENDPOINT_BYTES: u32 = 56;

const ENTRY_BYTES: usize = 96;
const ENDPOINT_AT: usize = 32;
const SIZE_AT: usize = 88;

/** Twice as many places as routes: a search ends at the first place that is free. */
const PLACES: u32 = 2 * MAX_ROUTES;

/** Endpoints by token: open addressing in memory that is made once. Routes are numbered from 1; 0 is none. */
export class RouteTable {
  length: u32 = 0;
  private count: u32 = 0;
  private readonly entries: usize = heap.alloc(<usize>(MAX_ROUTES + 1) * ENTRY_BYTES);
  private readonly places: StaticArray<u32> = new StaticArray<u32>(<i32>PLACES);

  /** Adds a route; the token is at `token`. False where there are too many or the endpoint is too long. */
  add(token: usize, endpoint: string): bool {
    const size = String.UTF8.byteLength(endpoint);
    if (this.count == MAX_ROUTES || <u32>size > MAX_ENDPOINT_BYTES) return false;
    const entry = this.entry(++this.count);
    memory.copy(entry, token, this.length);
    String.UTF8.encodeUnsafe(changetype<usize>(endpoint), endpoint.length, entry + ENDPOINT_AT);
    store<u32>(entry + SIZE_AT, <u32>size);
    let place = this.placeOf(token);
    while (this.places[place] != 0) place = (place + 1) % PLACES;
    this.places[place] = this.count;
    return true;
  }

  /** The number of the route of a token, 0 where there is none. */
  find(token: usize): u32 {
    let place = this.placeOf(token);
    let route = unchecked(this.places[place]);
    while (route != 0 && memory.compare(this.entry(route), token, this.length) != 0) {
      place = (place + 1) % PLACES;
      route = unchecked(this.places[place]);
    }
    return route;
  }

  /** Whether a route is that of a token. */
  isOf(route: u32, token: usize): bool {
    return route != 0 && memory.compare(this.entry(route), token, this.length) == 0;
  }

  /** Address and size of the text of a route's endpoint. */
  endpointAt(route: u32): usize {
    return this.entry(route) + ENDPOINT_AT;
  }

  endpointSize(route: u32): u32 {
    return load<u32>(this.entry(route) + SIZE_AT);
  }

  private entry(route: u32): usize {
    return this.entries + <usize>route * ENTRY_BYTES;
  }

  /** FNV-1a. */
  private placeOf(token: usize): u32 {
    let hash: u32 = 2_166_136_261;
    for (let i: u32 = 0; i < this.length; i++) hash = (hash ^ load<u8>(token + i)) * 16_777_619;
    return hash % PLACES;
  }
}
