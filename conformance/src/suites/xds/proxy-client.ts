// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freeUdpPorts, ProxyAdmin, until } from "@msm/deploy";
import { Authority } from "../../certificates.ts";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { EchoEndpoint } from "../../traffic/echo-endpoint.ts";
import { Heartbeat } from "../../traffic/heartbeat.ts";
import { freeTcpPorts } from "./backends.ts";
import { cluster, endpoints, udpListener } from "./entries.ts";
import { type LibraryServer, startLibraryServer } from "./library-server.ts";

const IDENTITY = "spiffe://mesh.test/ns/msm/sa/control-plane";

/** Our proxy as a client of our server, over mutual TLS, with a control plane before it in the list that is not there. */
export function proxyClient(variant: "sotw" | "delta"): Scenario {
  return {
    title: `our proxy (${variant}): mutual TLS, the second of two control planes, EDS and LDS under load, a refusal, expiry`,
    timeoutMs: 90_000,
    run: async (context) => {
      const echoes = [await startEcho(context, 1), await startEcho(context, 2)] as const;
      const [port, otherPort, shortPort] = (await freeUdpPorts(3)) as [number, number, number];
      const { plane, admin } = await startSite(context, variant);
      const resources = (count: number) => [
        udpListener("video", port, "viewer"),
        cluster("viewer"),
        endpoints("viewer", ...echoes.slice(0, count).map((echo) => echo.port)),
      ];
      plane.publish(...resources(1));
      await until("the proxy was ready", () => admin.isReady());
      const session = await Heartbeat.start("127.0.0.1", port);
      context.note("LDS, CDS and EDS: serves, over mutual TLS, by the second of two control planes");

      plane.publish(...resources(2));
      await plane.settled();
      await until("a new session reached the new endpoint", () => reaches(port, 2));
      plane.publish(...resources(2), udpListener("other", otherPort, "viewer"));
      await until("the new listener served", () => reaches(otherPort, 2));

      plane.publish(...resources(2), udpListener("other", port, "viewer"));
      const error = await until("the refusal stood in the registry", () => refusalOf(plane, "other"));
      assert.match(error, /MSM_LISTENER_DUPLICATE_ADDRESS/);
      await until("the last good form of the refused listener served", () => reaches(otherPort, 2));
      context.note(`refused: ${error}`);

      plane.publish(...resources(2), udpListener("short", shortPort, "viewer", 2000));
      await until("the short-lived listener served", () => reaches(shortPort, 2));
      await until("the listener that was removed was gone", async () => !(await listens(admin, otherPort)));
      await plane.server.close();
      await until("it expired without a server", async () => !(await listens(admin, shortPort)), 20_000);
      await session.beats(20);
      const { sent } = session;
      const lost = await session.finish();
      context.note(`${sent} datagrams meanwhile, ${lost} lost`);
      assert.equal(lost, 0);
      assert.deepEqual(session.endpoints, [1], "an established session stays where it is");
    },
  };
}

async function startSite(context: ScenarioContext, variant: "sotw" | "delta") {
  const authority = new Authority(context.folder);
  const tls = { ...authority.issue("plane", `URI:${IDENTITY}`), clientAuthorities: authority.certificate };
  const plane = await startLibraryServer(context, { address: "127.0.0.1:0", tls });
  const own = authority.issue("proxy", "URI:spiffe://mesh.test/ns/media/sa/proxy");
  const [adminPort, closedPort] = (await freeTcpPorts(2)) as [number, number];
  const bootstrap = bootstrapOf(variant, adminPort, [`127.0.0.1:${closedPort}`, plane.address], {
    sni: "control-plane.test",
    common_tls_context: {
      tls_certificates: [
        { certificate_chain: { filename: own.certificate }, private_key: { filename: own.privateKey } },
      ],
      validation_context: {
        trusted_ca: { filename: authority.certificate },
        match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: IDENTITY } }],
      },
    },
  });
  const path = join(context.folder, "bootstrap.json");
  writeFileSync(path, JSON.stringify(bootstrap, null, 2));
  const main = fileURLToPath(new URL("main.js", import.meta.resolve("@msm/proxy")));
  const args = [main, "-c", path, "--concurrency", "1"];
  const { execPath: command } = process;
  context.startPeer({ name: "proxy", command, args, timeoutMs: 90_000, folder: context.folder });
  return { plane, admin: new ProxyAdmin(`127.0.0.1:${adminPort}`) };
}

/** Control planes in their order, each a static cluster. */
function bootstrapOf(
  variant: "sotw" | "delta",
  adminPort: number,
  planes: readonly string[],
  tlsContext: object,
): object {
  const source = { ads: {}, resource_api_version: "V3" };
  const type = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
  const clusters = planes.map((plane, index) => {
    const [address, port] = plane.split(":") as [string, string];
    const endpoint = { address: { socket_address: { address, port_value: Number(port) } } };
    const name = `plane-${index}`;
    const load_assignment = { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] };
    const typed_config = { "@type": type, ...tlsContext };
    return { name, load_assignment, transport_socket: { name: "envoy.transport_sockets.tls", typed_config } };
  });
  return {
    node: { id: "edge-1", cluster: "edge", metadata: { NAMESPACE: "media" } },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: adminPort } } },
    dynamic_resources: {
      ads_config: {
        api_type: variant === "delta" ? "DELTA_GRPC" : "GRPC",
        transport_api_version: "V3",
        grpc_services: clusters.map(({ name }) => ({ envoy_grpc: { cluster_name: name } })),
      },
      lds_config: source,
      cds_config: source,
    },
    static_resources: { clusters },
  };
}

async function startEcho(context: ScenarioContext, number: number): Promise<EchoEndpoint> {
  const endpoint = await EchoEndpoint.start("127.0.0.1", number);
  context.defer(() => endpoint.close());
  return endpoint;
}

/** Whether a new session at a port is answered by the endpoint of this number. */
async function reaches(port: number, endpoint: number): Promise<boolean> {
  const probe = await Heartbeat.start("127.0.0.1", port, 500).catch(() => undefined);
  if (probe === undefined) return false;
  await probe.beats(1);
  const isIt = probe.endpoints.includes(endpoint);
  probe.close();
  return isIt;
}

async function listens(admin: ProxyAdmin, port: number): Promise<boolean> {
  return (await admin.text("/listeners")).includes(`:${port}`);
}

function refusalOf({ server }: LibraryServer, name: string): string | undefined {
  const [proxy] = server.proxies.all();
  const listeners = [...(proxy?.types ?? [])].find(([typeUrl]) => typeUrl.endsWith(".Listener"))?.[1];
  return listeners?.resources.get(name)?.refusal?.error;
}
