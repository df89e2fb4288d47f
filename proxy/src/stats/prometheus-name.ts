// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Names of our own are Prometheus names already. */
const OWN_PREFIX = "msm_";

/** The Prometheus name of a sample: `envoy_` and Envoy's dotted name, or one of our own as it is. */
export function prometheusName(name: string): string {
  return name.startsWith(OWN_PREFIX) ? name : `envoy_${name.replaceAll(/[^a-zA-Z0-9_]/g, "_")}`;
}
