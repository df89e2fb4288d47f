// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "../process/child.ts";
import { until } from "../process/until.ts";
import { ControlPlaneStatus } from "./control-plane-status.ts";
import { ProxyAdmin } from "./proxy-admin.ts";
import { type HostPort, proxyBootstrap } from "./proxy-bootstrap.ts";

/** How a mesh of one control plane and one proxy is started. */
export interface MeshOptions {
  /** The mesh's resources: the path of a YAML file or folder that stays where it is, or the text of a file. */
  readonly config: { readonly path: string } | { readonly yaml: string };
  /** The UDP ports whose listeners must be up before `startMesh` returns. */
  readonly ports: readonly number[];
  /** Where logs and the bootstrap are written; a new folder in the system's temporary one by default. */
  readonly folder?: string;
  /** Addresses; a free port of loopback each by default. */
  readonly xds?: HostPort;
  readonly http?: HostPort;
  readonly admin?: HostPort;
  /** Datapath workers and their backend; the proxy's own defaults otherwise. */
  readonly concurrency?: number;
  readonly io?: string;
  /** More arguments for the proxy. */
  readonly proxyArgs?: readonly string[];
}

const LOOPBACK = "127.0.0.1:0";

/** Starts a control plane and a proxy as child processes; resolves when the listeners asked for are up. */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const mesh = new Mesh(options);
  try {
    await mesh.start();
  } catch (error) {
    await mesh.stop();
    throw error;
  }
  return mesh;
}

/** A running control plane and proxy. */
export class Mesh {
  /** Where logs and, unless it came from elsewhere, the configuration are. */
  readonly folder: string;
  /** The file or folder that the control plane watches. */
  readonly configPath: string;
  readonly #options: MeshOptions;
  #controlPlane: Child | undefined;
  #proxy: Child | undefined;
  #admin: ProxyAdmin | undefined;
  #xds: HostPort;
  #http: HostPort;

  /** Use `startMesh`. */
  constructor(options: MeshOptions) {
    this.#options = options;
    this.#xds = options.xds ?? LOOPBACK;
    this.#http = options.http ?? LOOPBACK;
    this.folder = options.folder ?? mkdtempSync(join(tmpdir(), "msm-mesh-"));
    mkdirSync(this.folder, { recursive: true });
    if ("path" in options.config) {
      this.configPath = options.config.path;
    } else {
      this.configPath = join(this.folder, "mesh.yaml");
      this.writeConfig(options.config.yaml);
    }
  }

  get controlPlane(): Child {
    return started(this.#controlPlane);
  }

  get proxy(): Child {
    return started(this.#proxy);
  }

  get admin(): ProxyAdmin {
    return started(this.#admin);
  }

  /** The address of the control plane's xDS server, and of its HTTP. */
  get xds(): HostPort {
    return this.#xds;
  }

  get http(): HostPort {
    return this.#http;
  }

  /** What the control plane tells at its HTTP address. */
  get status(): ControlPlaneStatus {
    return new ControlPlaneStatus(this.#http);
  }

  async start(): Promise<void> {
    await this.startControlPlane();
    await this.#startProxy();
    await this.waitForListeners(this.#options.ports);
  }

  /** Starts the control plane, again at the same addresses if there was one before. */
  async startControlPlane(): Promise<void> {
    const args = ["--source", "file", "--config", this.configPath];
    args.push("--xds-address", this.#xds, "--http-address", this.#http);
    const logPath = join(this.folder, "control-plane.log");
    this.#controlPlane = Child.start({
      name: "control plane",
      args: [mainOf("@msm/control-plane"), ...args],
      logPath,
    });
    const addresses = await this.#controlPlane.logged("where it listens", (record) =>
      typeof record.xds === "string" && typeof record.http === "string"
        ? { xds: record.xds, http: record.http }
        : undefined,
    );
    this.#xds = addresses.xds;
    this.#http = addresses.http;
  }

  /** Resolves when each of the ports has a listener; throws with the proxy's list and log otherwise. */
  async waitForListeners(ports: readonly number[], timeoutMs = 15_000): Promise<void> {
    let listeners = "";
    const missing = () => ports.filter((port) => !new RegExp(`:${port}\\s*$`, "m").test(listeners));
    await until(
      "every listener was up",
      async () => {
        if (this.proxy.exit) throw new Error("the proxy ended");
        listeners = await this.admin.text("/listeners");
        return missing().length === 0;
      },
      timeoutMs,
    ).catch(async () => {
      const problems = await this.status.problems().catch(() => []);
      const log = this.proxy.recentLines(8).map((line) => `  | ${line}`);
      const what = `the proxy has no listener at UDP port ${missing().join(", ")} after ${timeoutMs} ms`;
      throw new Error([what, ...problems, `The end of ${this.proxy.logPath}:`, ...log].join("\n"));
    });
  }

  /** Replaces the configuration as editors do: a new file is renamed over the old. */
  writeConfig(yaml: string): void {
    const next = `${this.configPath}.new`;
    writeFileSync(next, yaml);
    renameSync(next, this.configPath);
  }

  /** Stops both, the proxy first; safe to call twice. */
  async stop(): Promise<void> {
    await this.#proxy?.stop();
    await this.#controlPlane?.stop();
  }

  async #startProxy(): Promise<void> {
    const { admin = LOOPBACK, concurrency, io, proxyArgs = [] } = this.#options;
    const bootstrapPath = join(this.folder, "bootstrap.yaml");
    writeFileSync(bootstrapPath, proxyBootstrap({ nodeId: "local-proxy", admin, xds: this.#xds }));
    const args = ["-c", bootstrapPath];
    if (concurrency !== undefined) args.push("--concurrency", String(concurrency));
    if (io !== undefined) args.push("--io", io);
    const logPath = join(this.folder, "proxy.log");
    this.#proxy = Child.start({
      name: "proxy",
      args: [mainOf("@msm/proxy"), ...args, ...proxyArgs],
      logPath,
    });
    const address = await this.#proxy.logged("where its admin listens", (record) =>
      typeof record.admin === "string" ? record.admin : undefined,
    );
    this.#admin = new ProxyAdmin(address);
  }
}

/** The program of a package: `main.js` beside its entry. */
export function mainOf(packageName: "@msm/control-plane" | "@msm/proxy"): string {
  return fileURLToPath(new URL("main.js", import.meta.resolve(packageName)));
}

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new Error("the mesh has not been started");
  return part;
}
