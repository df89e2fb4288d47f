// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Node } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import type { AdsServer } from "../config/ads-server.ts";
import type { AdsConfig } from "../config/read-ads.ts";
import { AdsClient, type AdsClientOptions, type AdsTarget } from "./ads-client.ts";
import { type AdsStream, openDeltaStream, openSotwStream } from "./ads-stream.ts";
import { DeltaState } from "./delta-state.ts";
import { SotwState } from "./sotw-state.ts";

/** A client of either variant: it is started and closed in the same way. */
export type AnyAdsClient = Pick<AdsClient<never, { readonly typeUrl: string }>, "start" | "close">;

/** What a client needs beside what the bootstrap says of its control planes. */
export type AdsSurroundings = Omit<AdsClientOptions<never, never>, "state" | "targets" | "wildcards">;

/** Makes the client for the control planes of a bootstrap, in the variant that it asks for. */
export function createAdsClient(ads: AdsConfig, node: Node, surroundings: AdsSurroundings): AnyAdsClient {
  const { variant, servers, wildcards } = ads;
  if (variant === "sotw") {
    const targets = servers.map((server) => targetOf(server, openSotwStream));
    return new AdsClient({ ...surroundings, state: new SotwState(node, wildcards), targets, wildcards });
  }
  const targets = servers.map((server) => targetOf(server, openDeltaStream));
  return new AdsClient({ ...surroundings, state: new DeltaState(node, wildcards), targets, wildcards });
}

function targetOf<Request, Response>(
  server: AdsServer,
  open: (server: AdsServer, onConnected: () => void) => AdsStream<Request, Response>,
): AdsTarget<Request, Response> {
  return { name: server.target, open: (onConnected) => open(server, onConnected) };
}
