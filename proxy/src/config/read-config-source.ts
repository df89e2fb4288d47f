// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  ApiVersion,
  type ConfigSource,
  ConfigSourceSchema,
} from "@msm/xds-protos/envoy/config/core/v3/config_source_pb.js";
import { at, refuse, refuseOthers } from "./refuse.ts";

/** Checks that a `ConfigSource` names the aggregated stream of API version 3, the only source there is. */
export function checkConfigSource(source: ConfigSource | undefined, path: string): void {
  if (source?.configSourceSpecifier.case !== "ads") {
    refuse("MSM_CONFIG_SOURCE", path, "must be { ads: {}, resource_api_version: V3 }");
  }
  if (source.resourceApiVersion === ApiVersion.V2) {
    refuse("MSM_CONFIG_SOURCE", at(path, "resource_api_version"), "V2 is not supported; set it to V3");
  }
  refuseOthers(ConfigSourceSchema, source, path, {
    ads: "accepted",
    resource_api_version: "accepted",
    initial_fetch_timeout: "accepted",
  });
}

/**
 * Checks the source of a resource that a listener or a cluster waits for. It waits as long as it takes, so a
 * time limit other than 0 is refused.
 */
export function checkAwaitedSource(source: ConfigSource | undefined, path: string): void {
  checkConfigSource(source, path);
  const timeout = source?.initialFetchTimeout;
  if (timeout !== undefined && (timeout.seconds !== 0n || timeout.nanos !== 0)) {
    const problem = "must be 0s or left out; this proxy waits until the resource comes";
    refuse("MSM_CONFIG_UNSUPPORTED_VALUE", at(path, "initial_fetch_timeout"), problem);
  }
}
