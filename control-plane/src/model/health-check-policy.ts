// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import type { FieldPath } from "../refusal.ts";
import { port } from "./field-schemas.ts";
import { atLeastAMillisecond } from "./policy-durations.ts";
import type { Refuse } from "./problem.ts";

/** Ways to ask an endpoint whether it is well. */
const types = ["TCP", "UDP", "HTTP", "STUN", "RTCP", "RTSP", "SIP"] as const;

const payload = z
  .string()
  .max(4096)
  .regex(/^([0-9a-fA-F]{2})+$/, { error: "must be hexadecimal digits, two for each byte" });

/** How the endpoints of a backend are asked again and again. */
export const healthCheckPolicy = z.strictObject({
  type: z.enum(types).default("TCP"),
  /** The endpoint's own unless said. */
  port: port.optional(),
  /** What is sent, and blocks that the answer must hold in this order: for TCP and UDP. */
  send: payload.optional(),
  receive: z.array(payload).max(16).default([]),
  /** What is asked for, and of whom: for HTTP. */
  path: z.string().max(1024).startsWith("/").optional(),
  host: z.string().max(253).optional(),
  interval: atLeastAMillisecond.default(2000),
  timeout: atLeastAMillisecond.default(1000),
  unhealthyThreshold: z.int().min(1).max(100).default(3),
  healthyThreshold: z.int().min(1).max(100).default(1),
});

export type HealthCheckPolicy = Readonly<z.output<typeof healthCheckPolicy>>;

/** Refuses what the check's type does not have. */
export function checkHealthCheck(check: HealthCheckPolicy, path: FieldPath, refuse: Refuse): void {
  const { type, send, receive } = check;
  const hasPayload = type === "TCP" || type === "UDP";
  const stray = [
    ...(hasPayload ? [] : (["send", "receive"] as const)),
    ...(type === "HTTP" ? [] : (["path", "host"] as const)),
  ].find((field) => check[field] !== undefined && check[field]?.length !== 0);
  if (stray !== undefined) {
    refuse("MSM_POLICY_CONFLICT", [...path, stray], `is not for checks of type ${type}; remove it`);
  }
  if (type === "UDP" && send === undefined) {
    refuse("MSM_POLICY_CONFLICT", [...path, "type"], "UDP needs send: an endpoint is asked by a datagram");
  }
  if (send === undefined && receive.length > 0) {
    refuse("MSM_POLICY_CONFLICT", [...path, "receive"], "needs send: nobody answers what was not asked");
  }
}
