// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { SocketAddress } from "../plan.ts";
import type { Sample } from "../stats/sample.ts";
import type { FilterEnvironment, MetricHandle } from "../wasm/filter-environment.ts";
import type { PeerFault } from "./check-peer.ts";

/** The statistics of a listener's TLS, by Envoy's names (docs, "TLS statistics"). */
export interface SslMetrics {
  readonly handshake: MetricHandle;
  readonly connectionError: MetricHandle;
  readonly noCertificate: MetricHandle;
  readonly sessionReused: MetricHandle;
  fault(fault: PeerFault): MetricHandle;
  version(version: string): MetricHandle;
  cipher(name: string): MetricHandle;
}

const PREFIX = "listener.ssl";
const ADDRESS_LABEL = "envoy_listener_address";

/** Defines the statistics of TLS at an address. Asking again gives the same ones. */
export function sslMetrics(
  { listener, defineMetric }: Pick<FilterEnvironment, "listener" | "defineMetric">,
  { address, port }: SocketAddress,
): SslMetrics {
  // Envoy writes addresses with underscores for colons, since names end at those.
  const text = `${address.includes(":") ? `[${address}]` : address}:${port}`.replaceAll(":", "_");
  const counter = (name: string) =>
    defineMetric("counter", `${PREFIX}.${name}`, { listener, [ADDRESS_LABEL]: text });
  return {
    handshake: counter("handshake"),
    connectionError: counter("connection_error"),
    noCertificate: counter("no_certificate"),
    sessionReused: counter("session_reused"),
    fault: counter,
    version: (version) => counter(`versions.${version}`),
    cipher: (name) => counter(`ciphers.${name}`),
  };
}

/** Gives samples of TLS the name that Envoy has for them in `/stats`; others are left as they are. */
export function withSslName(sample: Sample): Sample {
  const address = sample.labels[ADDRESS_LABEL];
  if (address === undefined || !sample.name.startsWith(`${PREFIX}.`)) return sample;
  return { ...sample, dottedName: `listener.${address}.${sample.name.slice("listener.".length)}` };
}
