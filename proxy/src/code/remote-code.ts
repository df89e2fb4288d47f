// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Code that is to be fetched: `envoy.config.core.v3.RemoteDataSource`, checked. */
export interface RemoteCode {
  /** `http:` or `https:`. */
  readonly uri: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  /** For one attempt. */
  readonly timeoutMs: number;
  /** Attempts after the first. */
  readonly retries: number;
  /** The wait before the first retry, and the longest one; each is twice the one before. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** Whether a configuration is refused at once where the code is not in the cache; it is fetched meanwhile. */
  readonly nackOnMiss: boolean;
}
