// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Destination, RouteChooser } from "./route-chooser.ts";
import type { StreamTarget } from "./signalling-world.ts";

/** How long a connection to an address that no cluster names may take to be made. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Where a stream goes; undefined where there is no endpoint any more. */
export function streamDestination(chooser: RouteChooser, target: StreamTarget): Destination | undefined {
  switch (target.kind) {
    case "route":
      return chooser.destination(target.choice);
    case "cluster":
      return chooser.pickDestination(target.cluster);
    case "address":
      return { cluster: "", address: target.address, connectTimeoutMs: CONNECT_TIMEOUT_MS };
  }
}
