// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type Duration, durationMs, type JsonObject, StructSchema, toJson } from "@msm/xds-protos";
import { RequestMethod } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type HealthCheck,
  type HealthCheck_CustomHealthCheck,
  HealthCheck_CustomHealthCheckSchema,
  type HealthCheck_HttpHealthCheck,
  HealthCheck_HttpHealthCheckSchema,
  type HealthCheck_Payload,
  type HealthCheck_TcpHealthCheck,
  HealthCheck_TcpHealthCheckSchema,
  HealthCheckSchema,
} from "@msm/xds-protos/envoy/config/core/v3/health_check_pb.js";
import { CodecClientType } from "@msm/xds-protos/envoy/type/v3/http_pb.js";
import { TypedStructSchema } from "@msm/xds-protos/xds/type/v3/typed_struct_pb.js";
import type { HealthCheckPlan } from "../cluster/health-check-plan.ts";
import type { HealthChecker } from "../cluster/health-checker.ts";
import type { Expectation } from "../cluster/health-payload.ts";
import { at, type FieldRule, refuse, refuseOthers } from "./refuse.ts";
import { typeNameOf, unpack } from "./unpack.ts";

/** The health checkers that there are, by name. */
export type HealthCheckers = ReadonlyMap<string, HealthChecker>;

type Chosen = Pick<HealthCheckPlan, "checker" | "options">;

/** What `custom_health_check.name` has before the name of one of our checkers. */
const CUSTOM_PREFIX = "msm.health_checkers.";

/** What is said of each field of `HealthCheck`; any other is refused. */
export const healthCheckRules: Readonly<Record<string, FieldRule>> = {
  timeout: "accepted",
  interval: "accepted",
  initial_jitter: "accepted",
  interval_jitter: "accepted",
  interval_jitter_percent: "accepted",
  unhealthy_threshold: "accepted",
  healthy_threshold: "accepted",
  alt_port: "accepted",
  unhealthy_interval: "accepted",
  unhealthy_edge_interval: "accepted",
  healthy_edge_interval: "accepted",
  tcp_health_check: "accepted",
  http_health_check: "accepted",
  custom_health_check: "accepted",
  reuse_connection: { only: false, hint: "each check makes a connection of its own here; set it to false" },
};

/** The same of `HealthCheck.TcpHealthCheck`. */
export const tcpCheckRules: Readonly<Record<string, FieldRule>> = { send: "accepted", receive: "accepted" };

/** The same of `HealthCheck.HttpHealthCheck`. */
export const httpCheckRules: Readonly<Record<string, FieldRule>> = {
  host: "accepted",
  path: "accepted",
  expected_statuses: "accepted",
  codec_client_type: { only: CodecClientType.HTTP1, hint: "use HTTP1" },
  method: { only: RequestMethod.GET, hint: "use GET" },
};

/** Reads a health check of a cluster. Pure. Throws a `ConfigError`. */
export function readHealthCheck(check: HealthCheck, path: string, checkers: HealthCheckers): HealthCheckPlan {
  refuseOthers(HealthCheckSchema, check, path, healthCheckRules);
  const ms = (duration: Duration | undefined, otherwise: number) =>
    duration === undefined ? otherwise : durationMs(duration);
  const intervalMs = ms(check.interval, 0);
  const unhealthyIntervalMs = ms(check.unhealthyInterval, intervalMs);
  return {
    ...chooseChecker(check, path, checkers),
    timeoutMs: ms(check.timeout, 0),
    intervalMs,
    unhealthyIntervalMs,
    unhealthyEdgeIntervalMs: ms(check.unhealthyEdgeInterval, unhealthyIntervalMs),
    healthyEdgeIntervalMs: ms(check.healthyEdgeInterval, intervalMs),
    initialJitterMs: ms(check.initialJitter, 0),
    intervalJitterMs: ms(check.intervalJitter, 0),
    intervalJitterPercent: check.intervalJitterPercent,
    unhealthyThreshold: check.unhealthyThreshold ?? 1,
    healthyThreshold: check.healthyThreshold ?? 1,
    altPort: check.altPort ?? 0,
  };
}

function chooseChecker({ healthChecker }: HealthCheck, path: string, checkers: HealthCheckers): Chosen {
  switch (healthChecker.case) {
    case "tcpHealthCheck":
      return readTcp(healthChecker.value, at(path, "tcp_health_check"));
    case "httpHealthCheck":
      return readHttp(healthChecker.value, at(path, "http_health_check"));
    case "customHealthCheck":
      return readCustom(healthChecker.value, at(path, "custom_health_check"), checkers);
    default:
      return refuse("MSM_CLUSTER_HEALTH_CHECK", path, "must have a tcp, http or custom_health_check");
  }
}

function readTcp(config: HealthCheck_TcpHealthCheck, path: string): Chosen {
  refuseOthers(HealthCheck_TcpHealthCheckSchema, config, path, tcpCheckRules);
  const options: Expectation = {
    send: config.send === undefined ? new Uint8Array() : payloadBytes(config.send, at(path, "send")),
    receive: config.receive.map((payload, index) => payloadBytes(payload, at(path, `receive[${index}]`))),
  };
  return { checker: "tcp", options };
}

/** Envoy's `text` is hexadecimal. */
function payloadBytes({ payload }: HealthCheck_Payload, path: string): Uint8Array {
  if (payload.case === "binary") return payload.value;
  const text = payload.value ?? "";
  if (!/^([0-9a-f]{2})+$/i.test(text)) {
    refuse("MSM_CONFIG_INVALID", at(path, "text"), "must be hexadecimal digits, two for each byte");
  }
  return new Uint8Array(Buffer.from(text, "hex"));
}

function readHttp(config: HealthCheck_HttpHealthCheck, path: string): Chosen {
  refuseOthers(HealthCheck_HttpHealthCheckSchema, config, path, httpCheckRules);
  const statuses = config.expectedStatuses.map(({ start, end }) => [Number(start), Number(end)] as const);
  const { host } = config;
  return {
    checker: "http",
    options: { host, path: config.path, statuses: statuses.length === 0 ? [[200, 201]] : statuses },
  };
}

function readCustom(config: HealthCheck_CustomHealthCheck, path: string, checkers: HealthCheckers): Chosen {
  refuseOthers(HealthCheck_CustomHealthCheckSchema, config, path, {
    name: "accepted",
    typed_config: "accepted",
  });
  const checker = config.name.startsWith(CUSTOM_PREFIX) ? config.name.slice(CUSTOM_PREFIX.length) : "";
  const known = checkers.get(checker);
  if (known === undefined) {
    const names = [...checkers.keys()].map((name) => CUSTOM_PREFIX + name).join(", ");
    refuse("MSM_CLUSTER_HEALTH_CHECK", at(path, "name"), `must be one of ${names}`);
  }
  const field = at(path, "typed_config");
  const json = readOptions(config, field);
  try {
    return { checker, options: known.readOptions(json) };
  } catch (error) {
    return refuse("MSM_CLUSTER_HEALTH_CHECK", field, error instanceof Error ? error.message : String(error));
  }
}

/** Options come as `google.protobuf.Struct` or as `xds.type.v3.TypedStruct`. */
function readOptions(config: HealthCheck_CustomHealthCheck, path: string): JsonObject {
  const any = config.configType.value;
  if (any === undefined) return {};
  if (typeNameOf(any.typeUrl) === TypedStructSchema.typeName) {
    return unpack(TypedStructSchema, any, path).value ?? {};
  }
  return toJson(StructSchema, unpack(StructSchema, any, path)) as JsonObject;
}
