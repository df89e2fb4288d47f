// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compileFolder } from "@msm/filter-sdk/testing";
import { stringify } from "yaml";
import type { Relay } from "../running-relay.ts";
import { type RelayFilter, relayBootstrap } from "./relay-bootstrap.ts";
import type { ScenarioContext } from "./scenario.ts";

const root = new URL("../../../../", import.meta.url);
const build = new URL("conformance/build/load/", root);
/** Every relay ends by itself. */
const LIFE_SECONDS = "120";

/** The C reference with a socket for each session; `g`: with UDP_GRO and UDP_SEGMENT. */
export function cses({ site }: ScenarioContext, options: { readonly isSegmenting?: boolean } = {}): Relay {
  const flags = options.isSegmenting ? ["g"] : [];
  return {
    name: `cses${options.isSegmenting ? " g" : ""}`,
    command: [site.program("cses"), "7001", "7002", LIFE_SECONDS, ...flags],
    startMs: 300,
  };
}

/** The C reference of a fan-out, which sends every copy by itself; or which lets the kernel cut bursts up. */
export function cfan({ site }: ScenarioContext, copies: number, isSegmenting = false): Relay {
  return {
    name: isSegmenting ? "cfan g" : "cfan",
    command: [site.program("cfan"), "7001", String(copies), LIFE_SECONDS, ...(isSegmenting ? ["g"] : [])],
    startMs: 300,
  };
}

/** RTP statistics, which come with the proxy. */
export const rtpStats: RelayFilter = { name: "rtp-stats", configuration: '{"clockRates":{"96":90000}}' };

/** What a proxy of the bench is like; statistics alone, ordinary sockets and loopback unless said. */
export interface ProxyOptions {
  readonly name?: string;
  readonly filters?: readonly RelayFilter[];
  readonly preferGro?: boolean;
  readonly address?: string;
  readonly endpoints?: readonly string[];
  readonly warmUpSeconds?: number;
}

/** This proxy, one worker. */
export function proxy({ profiler }: ScenarioContext, options: ProxyOptions = {}): Relay {
  const {
    filters = [rtpStats],
    preferGro = false,
    address = "127.0.0.1",
    endpoints = ["127.0.0.1"],
  } = options;
  const { name = "proxy, rtp-stats on", warmUpSeconds } = options;
  mkdirSync(build, { recursive: true });
  const file = fileURLToPath(new URL(`${name.replaceAll(/[^a-z0-9]+/g, "-")}.yaml`, build));
  writeFileSync(file, stringify(relayBootstrap({ filters, preferGro, address, endpoints })));
  const main = fileURLToPath(new URL("proxy/dist/main.js", root));
  const flags = profiler?.nodeFlags ?? [];
  return {
    name,
    command: [process.execPath, ...flags, main, "-c", file, "--concurrency", "1"],
    startMs: 2_500,
    ...(warmUpSeconds === undefined ? {} : { warmUpSeconds }),
  };
}

/** Endpoints that can share ports, at loopback addresses; the sink is all of them. */
export const thousandEndpoints = Array.from({ length: 1_000 }, (_, i) => `127.4.${i >> 8}.${i & 255}`);

/** The same relay, which may have fewer files open. */
export function fewerFiles(relay: Relay, files: number): Relay {
  const [program, ...args] = relay.command;
  return { ...relay, command: ["sh", "-c", `ulimit -n ${files}; exec "$0" "$@"`, program, ...args] };
}

/** What a fan-out of this proxy is like. */
export interface FanOutOptions {
  readonly copies: number;
  /** Whether each receiver has an SSRC and numbers of its own. */
  readonly isRewritten?: boolean;
  readonly warmUpSeconds?: number;
}

/**
 * Bursts come 187 times a second: what handles them is called often enough to be compiled only after ten seconds, and V8
 * gives back what the start took, once, after about sixteen.
 */
const FAN_OUT_WARM_UP_SECONDS = 18;

/** A flow of this proxy with RTP statistics, from port 7001 to port 7002 at 127.0.1.1 and up. */
export function fanOut({ profiler }: ScenarioContext, options: FanOutOptions): Relay {
  const { copies, isRewritten = false, warmUpSeconds = FAN_OUT_WARM_UP_SECONDS } = options;
  const main = fileURLToPath(new URL("fan-out-relay.js", import.meta.url));
  const flags = profiler?.nodeFlags ?? [];
  return {
    name: isRewritten ? "proxy, SSRC and sequence rewritten" : "proxy, rtp-stats on",
    command: [process.execPath, ...flags, main, String(copies), ...(isRewritten ? ["rewrite"] : [])],
    startMs: 2_500,
    warmUpSeconds,
  };
}

/** A relay as Node programs commonly write it. */
export function dgram(): Relay {
  const main = fileURLToPath(new URL("dgram-relay.js", import.meta.url));
  return { name: "node:dgram", command: [process.execPath, main], startMs: 500 };
}

const NGINX = "/usr/sbin/nginx";
const NGINX_STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so";

/** nginx's stream proxy, one worker, which ends a session two seconds after its last datagram. */
export function nginx(): Relay {
  mkdirSync(build, { recursive: true });
  const file = fileURLToPath(new URL("nginx.conf", build));
  writeFileSync(
    file,
    `load_module ${NGINX_STREAM};
worker_processes 1; daemon off; master_process off; error_log stderr; pid nginx.pid;
events { worker_connections 4096; }
stream { server { listen 127.0.0.1:7001 udp rcvbuf=64m; proxy_pass 127.0.0.1:7002; proxy_timeout 2s; } }
`,
  );
  const isHere = existsSync(NGINX) && existsSync(NGINX_STREAM);
  return {
    name: "nginx stream",
    command: [NGINX, "-p", fileURLToPath(build), "-c", file],
    startMs: 500,
    ...(isHere ? {} : { missing: "it needs Debian's nginx-light and libnginx-mod-stream" }),
  };
}

/** Compiles the filter in a folder below `filters/`, and returns it as one that a user brought. */
export async function isolated(folder: string, name: string): Promise<RelayFilter> {
  const { bytes } = await compileFolder(fileURLToPath(new URL(`filters/${folder}`, root)));
  mkdirSync(build, { recursive: true });
  const file = fileURLToPath(new URL(`${name}.wasm`, build));
  writeFileSync(file, bytes);
  return { name, file };
}
