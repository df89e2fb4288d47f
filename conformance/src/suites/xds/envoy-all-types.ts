// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { get } from "node:https";
import type { ResourceEntry } from "@msm/control-plane/xds";
import { until } from "@msm/deploy";
import { Authority } from "../../certificates.ts";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { freeTcpPorts, greeting, startHttpBackend, startTcpBackend } from "./backends.ts";
import { compareWithEnvoy } from "./compare-with-envoy.ts";
import { cluster, endpoints, httpsListener, route, secret, tcpFilter, tcpListener } from "./entries.ts";
import { type Envoy, startEnvoy } from "./envoy.ts";
import { type LibraryServer, startLibraryServer } from "./library-server.ts";

/** Every type over one stream, with traffic before, while and after things change. */
export function envoyAllTypes(variant: "sotw" | "delta"): Scenario {
  return {
    title: `Envoy (${variant}): LDS, RDS, CDS, EDS, SDS and ECDS over ADS carry TCP and HTTPS; changes under load lose nothing`,
    timeoutMs: 90_000,
    run: async (context) => {
      const site = await startSite(context, variant);
      const { plane, envoy } = site;
      await site.isServing("tcp-1", "web-1");
      const load = startLoad(site);
      for (const [what, change, tcp, web] of changes) {
        Object.assign(site.state, change);
        site.publish();
        await plane.settled();
        await site.isServing(tcp, web);
        await load.beats(20);
        context.note(`${what}: taken`);
      }
      const { requests, failures } = await load.stop();
      context.note(`${requests} connections and requests meanwhile, ${failures.length} failed`);
      assert.deepEqual(failures, []);
      assert.equal(await envoy.stat("listener_manager.lds.update_rejected"), 0);
      assert.equal(await envoy.stat("cluster_manager.cds.update_rejected"), 0);
      context.note(await compareWithEnvoy(plane, envoy));
    },
  };
}

/** What is changed, and who has to answer then. */
const changes: readonly (readonly [string, Partial<SiteState>, string, string])[] = [
  ["EDS", { tcpBackend: 2, webBackend: 2 }, "tcp-2", "web-2"],
  ["ECDS", { tcpCluster: "tcp-b" }, "tcp-1", "web-2"],
  ["RDS", { webCluster: "web-b" }, "tcp-1", "web-1"],
  ["SDS", { certificate: 2 }, "tcp-1", "web-1"],
  ["CDS", { timeoutMs: 2000 }, "tcp-1", "web-1"],
];

interface SiteState {
  tcpBackend: 1 | 2;
  webBackend: 1 | 2;
  tcpCluster: "tcp-a" | "tcp-b";
  webCluster: "web-a" | "web-b";
  certificate: 1 | 2;
  timeoutMs: number;
}

interface Site {
  readonly state: SiteState;
  readonly plane: LibraryServer;
  readonly envoy: Envoy;
  publish(): void;
  tcp(): Promise<string>;
  web(): Promise<string>;
  isServing(tcp: string, web: string): Promise<void>;
}

async function startSite(context: ScenarioContext, variant: "sotw" | "delta"): Promise<Site> {
  const plane = await startLibraryServer(context);
  const [tcpPort, webPort] = (await freeTcpPorts(2)) as [number, number];
  const tcpBackends = [await startTcpBackend(context, "tcp-1"), await startTcpBackend(context, "tcp-2")];
  const webBackends = [await startHttpBackend(context, "web-1"), await startHttpBackend(context, "web-2")];
  const authority = new Authority(context.folder);
  const certificates = ["one", "two"].map((name) => authority.issue(name, "DNS:localhost,IP:127.0.0.1"));
  const state: SiteState = {
    tcpBackend: 1,
    webBackend: 1,
    tcpCluster: "tcp-a",
    webCluster: "web-a",
    certificate: 1,
    timeoutMs: 1000,
  };
  const entries = (): readonly ResourceEntry[] => {
    const { certificate, privateKey } = certificates[state.certificate - 1]!;
    return [
      tcpListener("tcp", tcpPort, "tcp-filter"),
      tcpFilter("tcp-filter", state.tcpCluster),
      httpsListener("https", webPort, "web-route", "web-secret"),
      route("web-route", state.webCluster),
      secret("web-secret", readFileSync(certificate, "utf8"), readFileSync(privateKey, "utf8")),
      ...["tcp-a", "tcp-b", "web-a", "web-b"].map((name) => cluster(name, undefined, state.timeoutMs)),
      endpoints("tcp-a", tcpBackends[state.tcpBackend - 1]!),
      endpoints("tcp-b", tcpBackends[0]!),
      endpoints("web-a", webBackends[state.webBackend - 1]!),
      endpoints("web-b", webBackends[0]!),
    ];
  };
  const publish = (): void => void plane.publish(...entries());
  publish();
  const envoy = await startEnvoy(context, { xds: plane.address, variant });
  for (const port of [tcpPort, webPort]) await envoy.listens(port);
  const ca = readFileSync(authority.certificate);
  const tcp = () => greeting(tcpPort);
  const web = () => httpsText(webPort, ca);
  const isServing = async (expectedTcp: string, expectedWeb: string): Promise<void> => {
    await until(`${expectedTcp} answered`, async () => (await tcp()) === expectedTcp);
    await until(`${expectedWeb} answered`, async () => (await web()) === expectedWeb);
  };
  return { state, plane, envoy, publish, tcp, web, isServing };
}

/** One connection after the other, and one request after the other, until it is stopped. */
function startLoad({ tcp, web }: Site) {
  let isOver = false;
  let requests = 0;
  const failures: string[] = [];
  const loop = async (ask: () => Promise<string>): Promise<void> => {
    while (!isOver) {
      await ask().catch((error: Error) => failures.push(error.message));
      requests++;
    }
  };
  const loops = Promise.all([loop(tcp), loop(web)]);
  return {
    /** Waits for so many more. */
    beats: async (count: number) => {
      const goal = requests + count;
      await until(`${count} more requests were made`, () => requests >= goal);
    },
    stop: async () => {
      isOver = true;
      await loops;
      return { requests, failures };
    },
  };
}

function httpsText(port: number, ca: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(
      { port, host: "127.0.0.1", servername: "localhost", ca, agent: false },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () =>
          response.statusCode === 200 ? resolve(text) : reject(new Error(`${response.statusCode} ${text}`)),
        );
      },
    );
    request.setTimeout(5000, () => request.destroy(new Error("no answer within 5 s")));
    request.on("error", reject);
  });
}
