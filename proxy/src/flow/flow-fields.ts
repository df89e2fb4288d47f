// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import type { Address } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { at, refuse } from "../config/refuse.ts";
import type { SocketAddress } from "../plan.ts";

/** A far end; undefined while it has no port. Throws a `ConfigError`, as the others do. */
export function readRemote(address: Address | undefined, path: string): SocketAddress | undefined {
  if (address === undefined) return undefined;
  const ip = readIp(address.ip, at(path, "ip"));
  const port = readPort(address.port, at(path, "port"));
  if (port === 0) return undefined;
  return { address: ip ?? invalid(at(path, "ip"), "is needed beside a port"), port };
}

/** An IP address; undefined where it is empty. */
export function readIp(ip: string, path: string): string | undefined {
  if (ip === "") return undefined;
  if (isIP(ip) === 0 || ip.includes("%"))
    invalid(path, `"${ip}" is no IP address; names are not resolved here`);
  return ip;
}

/** A UDP port, or 0. */
export function readPort(port: number, path: string): number {
  return inRange(port, 0, 65_535, path);
}

/** Refuses a number that is not between two others, both included. */
export function inRange(value: number, least: number, most: number, path: string): number {
  if (value < least || value > most) invalid(path, `is ${value}; it must be ${least} to ${most}`);
  return value;
}

/** Refuses a field of a flow. */
export function invalid(path: string, problem: string): never {
  return refuse("MSM_FLOW_INVALID", path, problem);
}
