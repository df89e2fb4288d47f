// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { AdsServer } from "./ads-server.ts";
import { readBootstrap } from "./bootstrap.ts";
import { BootstrapError } from "./bootstrap-error.ts";
import { bootstrapSource } from "./bootstrap-source.ts";

const folder = mkdtempSync(join(tmpdir(), "msm-read-ads-"));
const pem = (name: string): string => {
  const file = join(folder, name);
  writeFileSync(file, "-----BEGIN CERTIFICATE-----\n");
  return file;
};
const ca = { filename: pem("ca.crt") };
const certificate = {
  certificate_chain: { filename: pem("tls.crt") },
  private_key: { filename: pem("tls.key") },
};
const spiffe = { san_type: "URI", matcher: { exact: "spiffe://mesh/ns/msm/sa/control-plane" } };

/** A bootstrap that asks these services, of which the static cluster `xds` is one. */
function bootstrap(services: readonly object[], transportSocket?: object): object {
  const source = { ads: {}, resource_api_version: "V3" };
  const address = { socket_address: { address: "10.0.0.1", port_value: 15012 } };
  const cluster = {
    name: "xds",
    load_assignment: { cluster_name: "xds", endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    ...(transportSocket === undefined ? {} : { transport_socket: transportSocket }),
  };
  const adsConfig = { api_type: "GRPC", transport_api_version: "V3", grpc_services: services };
  return {
    node: { id: "proxy-1", cluster: "edge" },
    dynamic_resources: { ads_config: adsConfig, lds_config: source },
    static_resources: { clusters: [cluster] },
  };
}

const envoyService = { envoy_grpc: { cluster_name: "xds" } };

function socket(common: object, more: object = {}): object {
  const type = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
  const context = { "@type": type, common_tls_context: common, ...more };
  return { name: "envoy.transport_sockets.tls", typed_config: context };
}

function serversOf(json: object): readonly AdsServer[] {
  return readBootstrap(bootstrapSource(json)).ads!.servers;
}

/** `code last-part-of-the-field` of each problem. */
function problemsOf(json: object): readonly string[] {
  try {
    readBootstrap(bootstrapSource(json));
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    return error.problems.map(({ error: { code, field } }) => `${code} ${field.split(".").at(-1)}`);
  }
  return [];
}

test("several control planes are tried in their order, and the variant is the one that is asked for", () => {
  const services = [envoyService, { google_grpc: { target_uri: "dns:backup:15010", stat_prefix: "xds" } }];
  const { ads } = readBootstrap(bootstrapSource(bootstrap(services)));
  expect(ads?.variant).toBe("sotw");
  expect(ads?.servers).toEqual([{ target: "10.0.0.1:15012" }, { target: "dns:backup:15010" }]);
});

test("an UpstreamTlsContext says whom to trust, whom to expect and who this proxy is", () => {
  const validation_context = { trusted_ca: ca, match_typed_subject_alt_names: [spiffe] };
  const common = { tls_certificates: [certificate], validation_context, alpn_protocols: ["h2"] };
  const [server] = serversOf(bootstrap([envoyService], socket(common, { sni: "control-plane.msm" })));
  expect(server?.tls).toEqual({
    serverName: "control-plane.msm",
    authorities: { file: ca.filename },
    identity: {
      certificate: { file: certificate.certificate_chain.filename },
      privateKey: { file: certificate.private_key.filename },
    },
    serverNames: ["URI:spiffe://mesh/ns/msm/sa/control-plane"],
  });
});

test("google_grpc has its own way to say the same", () => {
  const { certificate_chain: cert_chain, private_key } = certificate;
  const channel_credentials = { ssl_credentials: { root_certs: ca, private_key, cert_chain } };
  const google_grpc = { target_uri: "dns:a:15012", stat_prefix: "xds", channel_credentials };
  const [server] = serversOf(bootstrap([{ google_grpc }]));
  expect(server?.tls?.authorities).toEqual({ file: ca.filename });
  expect(server?.tls?.identity?.privateKey).toEqual({ file: private_key.filename });
});

test.each<[string, object, string]>([
  ["no authority", socket({ validation_context: {} }), "MSM_BOOTSTRAP_TLS trusted_ca"],
  ["no validation at all", socket({}), "MSM_BOOTSTRAP_TLS validation_context"],
  [
    "a file that is not there",
    socket({ validation_context: { trusted_ca: { filename: "/nowhere" } } }),
    "MSM_BOOTSTRAP_TLS trusted_ca",
  ],
  [
    "an authority that is no PEM",
    socket({ validation_context: { trusted_ca: { inline_string: "x" } } }),
    "MSM_BOOTSTRAP_TLS trusted_ca",
  ],
  [
    "a key in the bootstrap itself",
    socket({
      validation_context: { trusted_ca: ca },
      tls_certificates: [{ ...certificate, private_key: { inline_string: "-----BEGIN " } }],
    }),
    "MSM_BOOTSTRAP_TLS private_key",
  ],
  [
    "a certificate without a key",
    socket({
      validation_context: { trusted_ca: ca },
      tls_certificates: [{ certificate_chain: certificate.certificate_chain }],
    }),
    "MSM_BOOTSTRAP_TLS private_key",
  ],
  [
    "a name by prefix",
    socket({
      validation_context: {
        trusted_ca: ca,
        match_typed_subject_alt_names: [{ san_type: "URI", matcher: { prefix: "spiffe://mesh/" } }],
      },
    }),
    "MSM_BOOTSTRAP_TLS match_typed_subject_alt_names[0]",
  ],
  [
    "session tickets",
    socket({ validation_context: { trusted_ca: ca } }, { max_session_keys: 3 }),
    "MSM_CONFIG_UNSUPPORTED_FIELD max_session_keys",
  ],
])("TLS with %s is refused", (_, transportSocket, expected) => {
  expect(problemsOf(bootstrap([envoyService], transportSocket))).toEqual([expected]);
});

test("a control plane has to be named", () => {
  expect(problemsOf(bootstrap([]))).toEqual(["MSM_BOOTSTRAP_ADS_TARGET grpc_services"]);
});
