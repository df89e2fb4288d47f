// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** What a listener protects itself with. Whatever is not there is not limited. */
export interface ListenerLimits {
  /** The most sessions of the listener over all workers. */
  readonly maxSessions?: number;
  /** The most sessions of one source, an IPv4 address or an IPv6 /64 network, in each worker. */
  readonly maxSessionsPerSource?: number;
  /** Datagrams that clients may send in a second, over all workers; a second's worth may come at once. */
  readonly datagramsPerSecond?: number;
  /** The same for one source, in each worker. */
  readonly datagramsPerSecondPerSource?: number;
  /** The sessions that there are go on; no new ones are opened. */
  readonly isDraining?: boolean;
}
