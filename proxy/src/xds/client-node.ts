// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { clone, create } from "@msm/xds-protos";
import { BuildVersionSchema, type Node, NodeSchema } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";

/** By this name a control plane knows that the node takes filters as WebAssembly in UDP sessions. */
const USER_AGENT = "msm-proxy";
const CLIENT_FEATURES = [
  "msm.filters.v1",
  // Resources may expire, and are taken in the wrapper that says when (xds_protocol.rst, "TTL").
  "xds.config.supports-resource-ttl",
  "xds.config.supports-resource-in-sotw",
];

/** The node of the bootstrap file with what this program is. `version` is `major.minor.patch`. */
export function clientNode(node: Node, version: string): Node {
  const [majorNumber = 0, minorNumber = 0, patch = 0] = version
    .split(/[.+-]/)
    .map((part) => Number(part) || 0);
  const result = clone(NodeSchema, node);
  result.userAgentName = USER_AGENT;
  result.userAgentVersionType = {
    case: "userAgentBuildVersion",
    value: create(BuildVersionSchema, { version: { majorNumber, minorNumber, patch } }),
  };
  result.clientFeatures = [...new Set([...node.clientFeatures, ...CLIENT_FEATURES])];
  return result;
}
