// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Feature, FIRST_SESSION_CONTEXT, Stage } from "./abi.ts";
import type { SessionInfo } from "./filter-environment.ts";
import type { GuestState } from "./guest-state.ts";

const encoder = new TextEncoder();

type PropertyReader = (state: GuestState, session: SessionInfo | undefined) => Uint8Array | undefined;

/**
 * The properties that this host has, by their path with dots. Values are serialised as Envoy does: text as
 * UTF-8 without a terminator, integers as little-endian 64 bits, booleans as one byte.
 */
export const propertyReaders: Readonly<Record<string, PropertyReader>> = {
  plugin_name: (state) => encoder.encode(state.plan.name),
  plugin_root_id: (state) => encoder.encode(state.plan.rootId),
  plugin_vm_id: (state) => encoder.encode(state.plan.vmId),
  "source.address": (_, session) => session && encoder.encode(session.client),
  "destination.address": (_, session) => session && encoder.encode(session.local),
  "upstream.address": (_, session) => session && encoder.encode(session.endpoint),
  "msm.session.id": (_, session) => session && integer(session.index),
  "msm.session.resumed": (state, session) =>
    session && Uint8Array.of(state.resumedSessions.has(session.index) ? 1 : 0),
  "msm.stage": (state) => integer(state.host.env.stage ?? Stage.Session),
  "msm.worker": (state) => integer(state.host.env.worker),
  "msm.abi.features": (state) => integer(features(state.canDivert)),
};

function features(canDivert: boolean): number {
  const all = Object.values(Feature).reduce((sum, bit) => sum | bit, 0);
  return canDivert ? all : all & ~(Feature.Emit | Feature.Divert);
}

/**
 * Reads a property in the guest's effective context. The parts of a path are joined by NUL, as Proxy-Wasm has
 * it, or by dots. Undefined where the host has no such property or the context is no live session.
 */
export function readProperty(state: GuestState, path: string): Uint8Array | undefined {
  const name = pathName(path);
  const session = state.context - FIRST_SESSION_CONTEXT;
  const more = state.readMore?.(name);
  if (more !== undefined) return more;
  if (!hasReader(name)) return state.host.sessionState.get(session, name);
  return propertyReaders[name]?.(state, state.host.sessions.get(session));
}

/** A path with dots between its parts. */
export function pathName(path: string): string {
  return path.replaceAll("\0", ".").replace(/\.$/, "");
}

/** Whether the property is the host's own. */
export function hasReader(name: string): boolean {
  return Object.hasOwn(propertyReaders, name);
}

function integer(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}
