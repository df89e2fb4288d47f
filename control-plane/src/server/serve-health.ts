// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { status } from "@grpc/grpc-js";
import { create, type ServiceHandlers } from "@msm/xds-protos";
import {
  type Health,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Serving,
} from "@msm/xds-protos/grpc/health/v1/health_pb.js";
import type { Clock } from "../clock.ts";

// A probe asks every few seconds; who watches may hear a second late.
const WATCH_PERIOD_MS = 1000;

/**
 * gRPC's health checking protocol: the server as a whole (empty name) and each of its services are SERVING once there is
 * something to serve.
 */
export function serveHealth(
  services: readonly string[],
  isServing: () => boolean,
  clock: Clock,
): ServiceHandlers<typeof Health> {
  const statusOf = (service: string): Serving | undefined => {
    if (service !== "" && !services.includes(service)) return undefined;
    return isServing() ? Serving.SERVING : Serving.NOT_SERVING;
  };
  const response = (serving: Serving) => create(HealthCheckResponseSchema, { status: serving });
  return {
    check(call, answer) {
      const serving = statusOf(call.request.service);
      if (serving !== undefined) answer(null, response(serving));
      else answer({ code: status.NOT_FOUND, details: `there is no service ${call.request.service}` });
    },
    watch(call) {
      let last: Serving | undefined;
      let cancel = (): void => {};
      const look = (): void => {
        const serving = statusOf(call.request.service) ?? Serving.SERVICE_UNKNOWN;
        if (serving !== last) call.write(response(serving));
        last = serving;
        cancel = clock.after(WATCH_PERIOD_MS, look);
      };
      look();
      for (const event of ["cancelled", "close", "error"]) call.on(event, () => cancel());
    },
  };
}
