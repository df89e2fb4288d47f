// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { TypedExtensionConfigSchema } from "@msm/xds-protos/envoy/config/core/v3/extension_pb.js";
import type { Attachment } from "../mesh/attachment.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { rtpProtocol } from "../model/gateway.ts";
import type { Model } from "../model/index.ts";
import { keyOf } from "../refusal.ts";
import { type FilterInput, translateFilter } from "./extension-config.ts";
import { defaultFilterName, filterName } from "./names.ts";
import type { Produced } from "./produced.ts";

const RTP_STATS = "rtp-stats";

/**
 * The session filters of a listener in order. An RTP listener begins with `rtp-stats`: the one of the most
 * specific WasmFilter that names it, or one with defaults. The others follow by falling priority, then by name.
 */
export function filterChain(attachment: Attachment, listenerName: string, mesh: Mesh): readonly Produced[] {
  const aimed = [...mesh.WasmFilter.values()]
    .map((filter) => ({ filter, aim: aimOf(filter, attachment) }))
    .filter(({ aim }) => aim > 0)
    .sort((left, right) => right.aim - left.aim || byPriority(left.filter, right.filter));
  const isRtp = attachment.listener.protocol === rtpProtocol;
  const statistics = isRtp
    ? aimed.filter(({ filter }) => isRtpStats(filter)).map(({ filter }) => filter)
    : [];
  const rest = aimed.map(({ filter }) => filter).filter((filter) => !statistics.includes(filter));
  const chain = rest.sort(byPriority).map(produceFilter);
  if (!isRtp) return chain;
  const [chosen] = statistics;
  return [chosen === undefined ? produceDefault(attachment, listenerName) : produceFilter(chosen), ...chain];
}

// How closely a filter aims at a listener: 0 not at all, then the whole Gateway, one listener, its route.
function aimOf(filter: Model<"WasmFilter">, { gateway, listener, route }: Attachment): number {
  const aims = filter.targets.map(({ kind, name, sectionName }) => {
    const target = kind === "Gateway" ? gateway : route;
    if (target.id.namespace !== filter.id.namespace || target.id.name !== name) return 0;
    if (kind === "UDPRoute") return 3;
    if (sectionName === undefined) return 1;
    return sectionName === listener.name ? 2 : 0;
  });
  return Math.max(...aims);
}

function isRtpStats({ code }: Model<"WasmFilter">): boolean {
  return "builtin" in code && code.builtin === RTP_STATS;
}

function byPriority(left: Model<"WasmFilter">, right: Model<"WasmFilter">): number {
  if (left.priority !== right.priority) return right.priority - left.priority;
  return filterName(left) < filterName(right) ? -1 : 1;
}

function produceFilter(filter: Model<"WasmFilter">): Produced {
  const { code, config, failurePolicy } = filter;
  return produce({ name: filterName(filter), code, config, failurePolicy }, keyOf(filter.id));
}

// Statistics are never a reason to stop media.
function produceDefault({ gateway }: Attachment, listenerName: string): Produced {
  const name = defaultFilterName(listenerName);
  return produce(
    { name, code: { builtin: RTP_STATS }, config: {}, failurePolicy: "FailOpen" },
    keyOf(gateway.id),
  );
}

function produce(input: FilterInput, origin: string): Produced {
  const message = translateFilter(input);
  return { schema: TypedExtensionConfigSchema, name: input.name, message, origins: [origin] };
}
