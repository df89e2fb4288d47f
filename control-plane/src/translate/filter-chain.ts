// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isRtspFilter } from "../mesh/check-filters.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { type GatewayListener, rtpProtocol, rtspProtocol } from "../model/gateway.ts";
import type { Model } from "../model/index.ts";
import { rtspFilterName } from "../model/wasm-filter.ts";
import { keyOf } from "../refusal.ts";
import type { FilterInput } from "./extension-config.ts";
import { defaultFilterName, filterName } from "./names.ts";

const RTP_STATS = "rtp-stats";

/** What a chain is made for: a listener, and the one route of it where it has one. */
export interface ChainTarget {
  readonly gateway: Model<"Gateway">;
  readonly listener: GatewayListener;
  readonly route?: Model<"UDPRoute">;
}

/** A filter of a chain, and the key of the resource that it comes from. */
export interface ChainedFilter extends FilterInput {
  readonly origin: string;
}

/**
 * The filters of a listener's media in order. What carries RTP begins with `rtp-stats`: the one of the most specific
 * WasmFilter that names it, or one with defaults. The others follow by falling priority, then by name.
 */
export function filterChain(target: ChainTarget, listenerName: string, mesh: Mesh): readonly ChainedFilter[] {
  const aimed = aimedFilters(target, mesh).filter((filter) => !isRtspFilter(filter));
  const isRtp = target.listener.protocol === rtpProtocol || target.listener.protocol === rtspProtocol;
  const statistics = isRtp ? aimed.filter(isRtpStats) : [];
  const chain = aimed.filter((filter) => !statistics.includes(filter)).sort(byPriority);
  if (!isRtp) return chain.map(toInput);
  const [chosen] = statistics;
  // Statistics are never a reason to stop media.
  const first =
    chosen === undefined ? defaultFilter(target, RTP_STATS, "FailOpen", listenerName) : toInput(chosen);
  return [first, ...chain.map(toInput)];
}

/** The filter that speaks RTSP at a listener: that of the most specific WasmFilter, or one with defaults. */
export function rtspFilter(target: ChainTarget, listenerName: string, mesh: Mesh): ChainedFilter {
  const chosen = aimedFilters(target, mesh).find(isRtspFilter);
  if (chosen !== undefined) return toInput(chosen);
  return defaultFilter(target, rtspFilterName, "FailClosed", listenerName);
}

/** The filters that aim at a listener, the most specific first. */
function aimedFilters(target: ChainTarget, mesh: Mesh): Model<"WasmFilter">[] {
  return [...mesh.WasmFilter.values()]
    .map((filter) => ({ filter, aim: aimOf(filter, target) }))
    .filter(({ aim }) => aim > 0)
    .sort((left, right) => right.aim - left.aim || byPriority(left.filter, right.filter))
    .map(({ filter }) => filter);
}

// How closely a filter aims at a listener: 0 not at all, then the whole Gateway, one listener, its route.
function aimOf(filter: Model<"WasmFilter">, { gateway, listener, route }: ChainTarget): number {
  const aims = filter.targets.map(({ kind, name, sectionName }) => {
    const target = kind === "Gateway" ? gateway : route;
    if (target?.id.namespace !== filter.id.namespace || target.id.name !== name) return 0;
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

function toInput(filter: Model<"WasmFilter">): ChainedFilter {
  const { code, config, failurePolicy } = filter;
  return { name: filterName(filter), code, config, failurePolicy, origin: keyOf(filter.id) };
}

function defaultFilter(
  { gateway }: ChainTarget,
  builtin: string,
  failurePolicy: FilterInput["failurePolicy"],
  listenerName: string,
): ChainedFilter {
  const name = defaultFilterName(builtin, listenerName);
  return { name, code: { builtin }, config: {}, failurePolicy, origin: keyOf(gateway.id) };
}
