// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** When the tick of an instance is due. Times are milliseconds of one clock; ticks that were missed are not made up for. */
export class PluginTick {
  #nextMs: number | null = null;

  /** Whether to call `proxy_on_tick` now; the next one is a period later. A period of 0 stops it. */
  take(nowMs: number, periodMs: number): boolean {
    if (periodMs === 0) {
      this.#nextMs = null;
      return false;
    }
    this.#nextMs ??= nowMs + periodMs;
    if (nowMs < this.#nextMs) return false;
    const next = this.#nextMs + periodMs;
    this.#nextMs = next > nowMs ? next : nowMs + periodMs;
    return true;
  }

  /** When the next one is due; Infinity where none is. */
  nextMs(nowMs: number, periodMs: number): number {
    return periodMs === 0 ? Number.POSITIVE_INFINITY : (this.#nextMs ?? nowMs + periodMs);
  }
}
