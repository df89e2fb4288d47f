// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import {
  create,
  durationFromMs,
  fromJson,
  type MessageInitShape,
  packAny,
  StructSchema,
} from "@msm/xds-protos";
import type { HealthCheckSchema } from "@msm/xds-protos/envoy/config/core/v3/health_check_pb.js";
import type { HealthCheckPolicy } from "../model/health-check-policy.ts";

type Checker = NonNullable<MessageInitShape<typeof HealthCheckSchema>["healthChecker"]>;

/** Makes Envoy's health check. Those that Envoy has no message for name a checker of our proxies; an Envoy is not told of those (`envoyClean`). */
export function translateHealthCheck(check: HealthCheckPolicy) {
  return {
    timeout: durationFromMs(check.timeout),
    interval: durationFromMs(check.interval),
    unhealthyThreshold: check.unhealthyThreshold,
    healthyThreshold: check.healthyThreshold,
    ...(check.port === undefined ? {} : { altPort: check.port }),
    healthChecker: checkerOf(check),
  };
}

function checkerOf(check: HealthCheckPolicy): Checker {
  const { type, send, receive, path = "/", host = "" } = check;
  switch (type) {
    case "TCP":
      return { case: "tcpHealthCheck", value: { ...toPayload(send), receive: receive.map(payloadOf) } };
    case "HTTP":
      return { case: "httpHealthCheck", value: { path, host } };
    case "UDP":
      return custom("udp", { send: { text: send! }, receive: receive.map((text) => ({ text })) });
    case "STUN":
      return custom("stun", {});
    case "RTCP":
      return custom("rtcp", {});
    case "RTSP":
      return custom("rtsp-options", {});
    case "SIP":
      return custom("sip-options", {});
  }
}

function payloadOf(text: string) {
  return { payload: { case: "text" as const, value: text } };
}

function toPayload(text: string | undefined) {
  return text === undefined ? {} : { send: payloadOf(text) };
}

function custom(name: string, options: object): Checker {
  const value = packAny(StructSchema, create(StructSchema, fromJson(StructSchema, options as never)));
  return {
    case: "customHealthCheck",
    value: { name: `msm.health_checkers.${name}`, configType: { case: "typedConfig", value } },
  };
}
