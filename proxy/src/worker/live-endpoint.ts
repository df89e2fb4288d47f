// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { CounterBlocks } from "../datapath/counter-blocks.ts";
import { EndpointSlot } from "../datapath/counters.ts";
import type { LiveEndpoint } from "../datapath/datapath.ts";
import type { WorkerCluster } from "./protocol.ts";

/** The endpoints of clusters with what workers counted; of those that are named, or of all. */
export function liveEndpoints(
  clusters: readonly WorkerCluster[],
  blocks: Pick<CounterBlocks, "total">,
  names: ReadonlySet<string> | undefined,
): readonly LiveEndpoint[] {
  const wanted = names === undefined ? clusters : clusters.filter(({ name }) => names.has(name));
  return wanted.flatMap(({ name, endpoints }) =>
    endpoints.map(({ id: _, counters, ...plan }): LiveEndpoint => {
      const total = (slot: number) => blocks.total(counters + slot);
      return {
        ...{ cluster: name, plan },
        sessionsActive: total(EndpointSlot.sessionsActive),
        sessionsTotal: total(EndpointSlot.sessionsTotal),
        errors: total(EndpointSlot.errors),
        receivedDatagrams: total(EndpointSlot.rxDatagrams),
        sentDatagrams: total(EndpointSlot.txDatagrams),
        successes: total(EndpointSlot.successes),
        serverErrors: total(EndpointSlot.serverErrors),
        connectFailures: total(EndpointSlot.connectFailures),
        verdicts: total(EndpointSlot.verdicts),
      };
    }),
  );
}
