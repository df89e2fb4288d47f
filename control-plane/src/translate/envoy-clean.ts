// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { clone, isMessage } from "@msm/xds-protos";
import { type Cluster, ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import type { Produced } from "./produced.ts";

const cleaned = new WeakMap<Produced, Produced>();

/**
 * The resources as any Envoy takes them: health checks by a checker that only our proxies have are left out, since it
 * would refuse the cluster for them. What needs no change is the same object, and so is what was changed before.
 */
export function envoyClean(part: readonly Produced[]): readonly Produced[] {
  return part.some(isForeign) ? part.map(clean) : part;
}

function clean(item: Produced): Produced {
  if (!isForeign(item)) return item;
  const known = cleaned.get(item);
  if (known !== undefined) return known;
  const cluster = clone(ClusterSchema, item.message);
  cluster.healthChecks = cluster.healthChecks.filter((check) => !isForeignCheck(check));
  const result = { ...item, message: cluster };
  cleaned.set(item, result);
  return result;
}

function isForeign(item: Produced): item is Produced & { readonly message: Cluster } {
  return isMessage(item.message, ClusterSchema) && item.message.healthChecks.some(isForeignCheck);
}

function isForeignCheck({ healthChecker }: Cluster["healthChecks"][number]): boolean {
  return healthChecker.case === "customHealthCheck";
}
