// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, durationFromMs, packAny } from "@msm/xds-protos";
import { type Listener, ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import {
  MediaOptions_UpstreamTransport,
  type SignallingProxy,
  SignallingProxySchema,
} from "@msm/xds-protos/msm/network/v1/signalling_proxy_pb.js";
import type { ListenerTls } from "../model/listener-tls.ts";
import type { RtspOptions, UpstreamTransport } from "../model/rtsp-options.ts";
import { adsConfigSource } from "./config-source.ts";
import { type FilterInput, pluginConfig } from "./extension-config.ts";
import { transportSocket } from "./listener-tls.ts";
import { socketAddress } from "./socket-address.ts";

/** What an RTSP listener is made from. */
export interface RtspListenerInput {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** The RouteConfiguration that comes by RDS. */
  readonly routes: string;
  /** The filter that speaks RTSP. */
  readonly filter: FilterInput;
  /** The filters of its media, in the order in which a packet from the source meets them. */
  readonly chain: readonly FilterInput[];
  readonly options: RtspOptions;
  /** After how long a connection that says nothing and plays nothing is closed; the proxy's own time if undefined. */
  readonly idleTimeoutMs: number | undefined;
  /** Plain text if undefined. */
  readonly tls: ListenerTls | undefined;
}

const transports: Readonly<Record<UpstreamTransport, MediaOptions_UpstreamTransport>> = {
  Automatic: MediaOptions_UpstreamTransport.AUTOMATIC,
  UDP: MediaOptions_UpstreamTransport.UDP,
  Interleaved: MediaOptions_UpstreamTransport.INTERLEAVED,
};

/** Makes a TCP listener whose one filter is our SignallingProxy; no other proxy understands it. */
export function translateRtspListener(input: RtspListenerInput): Listener {
  const { name, address, port, tls } = input;
  const typedConfig = packAny(SignallingProxySchema, signallingProxy(input));
  return create(ListenerSchema, {
    name,
    statPrefix: name,
    address: socketAddress("TCP", address, port),
    filterChains: [
      {
        filters: [{ name: "msm.signalling_proxy", configType: { case: "typedConfig", value: typedConfig } }],
        ...(tls === undefined ? {} : { transportSocket: transportSocket(tls) }),
      },
    ],
  });
}

function signallingProxy(input: RtspListenerInput): SignallingProxy {
  const { name, routes, filter, chain, options, idleTimeoutMs } = input;
  const { advertisedAddress = "", upstreamTransport = "Automatic", upstreamLingerMs } = options;
  return create(SignallingProxySchema, {
    statPrefix: name,
    routeSpecifier: { case: "rds", value: { configSource: adsConfigSource(), routeConfigName: routes } },
    filter: pluginConfig(filter),
    media: {
      advertisedAddress,
      chain: chain.map(pluginConfig),
      upstreamTransport: transports[upstreamTransport],
      ...(upstreamLingerMs === undefined ? {} : { upstreamLinger: durationFromMs(upstreamLingerMs) }),
    },
    ...(idleTimeoutMs === undefined ? {} : { idleTimeout: durationFromMs(idleTimeoutMs) }),
  });
}
