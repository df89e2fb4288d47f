// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "@msm/xds-protos";
import { describe, expect, test } from "vitest";
import { certificates } from "../../tls/testdata/certificates.ts";
import { read, refusal } from "../testdata/read.ts";
import { ADS } from "../testdata/resources.ts";
import {
  sdsJson,
  secretJson,
  serverTlsJson,
  tlsCertificateJson,
  tlsListenerJson,
  validationJson,
} from "./testdata/tls-json.ts";

async function readTls(socket: JsonObject): Promise<unknown> {
  const { config } = await read("listener", "a", tlsListenerJson("a", 322, socket));
  return (config as { readonly tls?: unknown }).tls;
}

const own = { tls_certificates: [tlsCertificateJson("server")] };
const SPIFFE = { san_type: "URI", matcher: { prefix: "spiffe://mesh/" } };

describe("the transport_socket of a listener", () => {
  test("has certificates in place, of each kind of key one", async () => {
    const both = [tlsCertificateJson("server"), tlsCertificateJson("rsaServer")];
    expect(await readTls(serverTlsJson({ tls_certificates: both }))).toMatchObject({
      parameters: { minVersion: "TLSv1.2", maxVersion: "TLSv1.3", alpnProtocols: [] },
      identity: { kind: "inline", identities: [{ path: "<inline>" }, certificates.rsaServer] },
      requiresCertificate: false,
      validation: undefined,
    });
  });

  test("or by SDS, and says whose certificates it takes: in place, by SDS, or both", async () => {
    const sds = { tls_certificate_sds_secret_configs: [sdsJson("cert")] };
    const base = { match_typed_subject_alt_names: [SPIFFE] };
    const validations = [
      { validation_context: validationJson(base) },
      { validation_context_sds_secret_config: sdsJson("ca") },
      {
        combined_validation_context: {
          default_validation_context: base,
          validation_context_sds_secret_config: sdsJson("ca"),
        },
      },
    ];
    const read = await Promise.all(
      validations.map((validation) =>
        readTls(serverTlsJson({ ...sds, ...validation }, { require_client_certificate: true })),
      ),
    );
    const names = [{ kind: "URI", test: { kind: "prefix", value: "spiffe://mesh/" } }];
    expect(read).toMatchObject([
      { identity: { kind: "sds", name: "cert" }, validation: { authorities: { path: "<inline>" }, names } },
      { validation: { names: [], secret: "ca" }, requiresCertificate: true },
      { validation: { names, secret: "ca" } },
    ]);
  });

  test("says versions, cipher suites, curves, signature algorithms and ALPN", async () => {
    const tls_params = {
      ...{ tls_minimum_protocol_version: "TLSv1_3", tls_maximum_protocol_version: "TLS_AUTO" },
      ...{ cipher_suites: ["ECDHE-ECDSA-AES128-GCM-SHA256"], ecdh_curves: ["X25519", "P-256"] },
      signature_algorithms: ["ecdsa_secp256r1_sha256"],
    };
    const socket = serverTlsJson({ ...own, tls_params, alpn_protocols: ["rtsp/1.0"] });
    expect(await readTls(socket)).toMatchObject({
      parameters: {
        ...{ minVersion: "TLSv1.3", maxVersion: "TLSv1.3", alpnProtocols: ["rtsp/1.0"] },
        ...{ cipherSuites: tls_params.cipher_suites, curves: tls_params.ecdh_curves },
        signatureAlgorithms: tls_params.signature_algorithms,
      },
    });
  });

  test("or that there is no TLS", async () => {
    const type = "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";
    const socket = { name: "envoy.transport_sockets.raw_buffer", typed_config: { "@type": type } };
    expect(await readTls(socket)).toBeUndefined();
  });
});

const PATH = "filter_chains[0].transport_socket.typed_config";
const COMMON = `${PATH}.common_tls_context`;
const refused = (common: JsonObject, changes?: JsonObject): Promise<string> =>
  refusal("listener", "a", tlsListenerJson("a", 322, serverTlsJson(common, changes)));

describe("refused is", () => {
  test.each<[string, JsonObject, JsonObject, string]>([
    ["no certificate", {}, {}, `MSM_TLS_CERTIFICATE ${COMMON}.tls_certificates`],
    [
      "a key of another certificate",
      { tls_certificates: [tlsCertificateJson("server", "renewed")] },
      {},
      `MSM_TLS_CERTIFICATE ${COMMON}.tls_certificates[0].private_key`,
    ],
    [
      "no PEM",
      { tls_certificates: [{ ...tlsCertificateJson("server"), certificate_chain: { inline_string: "x" } }] },
      {},
      `MSM_TLS_CERTIFICATE ${COMMON}.tls_certificates[0].certificate_chain`,
    ],
    [
      "a password",
      { tls_certificates: [{ ...tlsCertificateJson("server"), password: { inline_string: "x" } }] },
      {},
      `MSM_CONFIG_UNSUPPORTED_FIELD ${COMMON}.tls_certificates[0].password`,
    ],
    [
      "two certificates for one kind of key",
      { tls_certificates: [tlsCertificateJson("server"), tlsCertificateJson("renewed")] },
      {},
      `MSM_TLS_CERTIFICATE ${COMMON}.tls_certificates`,
    ],
    [
      "SDS beside a certificate in place",
      { ...own, tls_certificate_sds_secret_configs: [sdsJson("cert")] },
      {},
      `MSM_TLS_CERTIFICATE ${COMMON}.tls_certificates`,
    ],
    [
      "a secret of the bootstrap",
      { tls_certificate_sds_secret_configs: [{ name: "cert" }] },
      {},
      `MSM_CONFIG_SOURCE ${COMMON}.tls_certificate_sds_secret_configs[0].sds_config`,
    ],
    [
      "SDS with a limit of time",
      {
        tls_certificate_sds_secret_configs: [
          { name: "cert", sds_config: { ...ADS, initial_fetch_timeout: "5s" } },
        ],
      },
      {},
      `MSM_CONFIG_UNSUPPORTED_VALUE ${COMMON}.tls_certificate_sds_secret_configs[0].sds_config.initial_fetch_timeout`,
    ],
    [
      "a certificate that nobody could have",
      own,
      { require_client_certificate: true },
      `MSM_TLS_VALIDATION ${COMMON}.validation_context`,
    ],
    [
      "names without authorities",
      { ...own, validation_context: { match_typed_subject_alt_names: [SPIFFE] } },
      {},
      `MSM_TLS_VALIDATION ${COMMON}.validation_context.trusted_ca`,
    ],
    [
      "authorities that are none",
      { ...own, validation_context: { trusted_ca: { inline_string: certificates.server.privateKey } } },
      {},
      `MSM_TLS_VALIDATION ${COMMON}.validation_context.trusted_ca`,
    ],
    [
      "a kind of name that is not looked at",
      {
        ...own,
        validation_context: validationJson({
          match_typed_subject_alt_names: [{ ...SPIFFE, san_type: "EMAIL" }],
        }),
      },
      {},
      `MSM_TLS_VALIDATION ${COMMON}.validation_context.match_typed_subject_alt_names[0].san_type`,
    ],
    [
      "a list of revoked certificates",
      { ...own, validation_context: validationJson({ crl: { inline_string: "x" } }) },
      {},
      `MSM_CONFIG_UNSUPPORTED_FIELD ${COMMON}.validation_context.crl`,
    ],
    [
      "an old version",
      { ...own, tls_params: { tls_minimum_protocol_version: "TLSv1_0" } },
      {},
      `MSM_CONFIG_UNSUPPORTED_VALUE ${COMMON}.tls_params.tls_minimum_protocol_version`,
    ],
    [
      "a minimum above the maximum",
      {
        ...own,
        tls_params: { tls_minimum_protocol_version: "TLSv1_3", tls_maximum_protocol_version: "TLSv1_2" },
      },
      {},
      `MSM_TLS_PARAMETERS ${COMMON}.tls_params`,
    ],
    [
      "a cipher suite that is none",
      { ...own, tls_params: { cipher_suites: ["NONE-SUCH"] } },
      {},
      `MSM_TLS_PARAMETERS ${COMMON}.tls_params.cipher_suites`,
    ],
    [
      "an expression instead of a cipher suite",
      { ...own, tls_params: { cipher_suites: ["[ECDHE-RSA-AES128-GCM-SHA256|ALL]"] } },
      {},
      `MSM_TLS_PARAMETERS ${COMMON}.tls_params.cipher_suites`,
    ],
    [
      "a curve that is none",
      { ...own, tls_params: { ecdh_curves: ["P-1"] } },
      {},
      `MSM_TLS_PARAMETERS ${COMMON}.tls_params.ecdh_curves`,
    ],
    [
      "stapling that is a must",
      own,
      { ocsp_staple_policy: "MUST_STAPLE" },
      `MSM_CONFIG_UNSUPPORTED_VALUE ${PATH}.ocsp_staple_policy`,
    ],
    ["a need of SNI", own, { require_sni: true }, `MSM_CONFIG_UNSUPPORTED_VALUE ${PATH}.require_sni`],
    [
      "a time for sessions",
      own,
      { session_timeout: "5s" },
      `MSM_CONFIG_UNSUPPORTED_FIELD ${PATH}.session_timeout`,
    ],
  ])("%s", async (_what, common, changes, expected) => {
    expect(await refused(common, changes)).toBe(expected);
  });

  test("TLS of the other side", async () => {
    const type = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    const socket = { name: "tls", typed_config: { "@type": type, common_tls_context: own } };
    expect(await refusal("listener", "a", tlsListenerJson("a", 322, socket))).toBe(`MSM_CONFIG_TYPE ${PATH}`);
  });
});

describe("a secret", () => {
  test("is a certificate or a validation context, also from files", async () => {
    const folder = mkdtempSync(join(tmpdir(), "msm-tls-"));
    const [certificate, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
    writeFileSync(certificate, certificates.server.certificate);
    writeFileSync(key, certificates.server.privateKey);
    const tls_certificate = { certificate_chain: { filename: certificate }, private_key: { filename: key } };
    const identity = { ...certificates.server, path: certificate };
    expect(await read("secret", "s", secretJson("s", { tls_certificate }))).toEqual({
      kind: "identity",
      identity,
    });
    rmSync(folder, { recursive: true });
    const gone = "MSM_TLS_CERTIFICATE tls_certificate.certificate_chain.filename";
    expect(await refusal("secret", "s", secretJson("s", { tls_certificate }))).toBe(gone);
    const validation_context = validationJson();
    expect(await read("secret", "s", secretJson("s", { validation_context }))).toMatchObject({
      kind: "validation",
      validation: { names: [] },
    });
  });

  test.each<[string, JsonObject, string]>([
    [
      "of another kind",
      { generic_secret: { secret: { inline_string: "x" } } },
      "MSM_CONFIG_UNSUPPORTED_FIELD generic_secret",
    ],
    ["of none", {}, "MSM_CONFIG_MISSING resource"],
    [
      "with a key that does not fit",
      { tls_certificate: tlsCertificateJson("server", "client") },
      "MSM_TLS_CERTIFICATE tls_certificate.private_key",
    ],
  ])("%s is refused", async (_what, type, expected) => {
    expect(await refusal("secret", "s", secretJson("s", type))).toBe(expected);
  });

  test("that is refused shows nothing of its key in the reason", async () => {
    const key = certificates.server.privateKey.replace("BEGIN PRIVATE", "BEGIN BROKEN");
    const tls_certificate = { ...tlsCertificateJson("server"), private_key: { inline_string: key } };
    const refusing = read("secret", "s", secretJson("s", { tls_certificate }));
    const error = (await refusing.catch((thrown) => thrown)) as Error;
    const lines = key.split("\n").filter((line) => line.length > 20 && !line.startsWith("-----"));
    expect(error.message).toContain("MSM_TLS_CERTIFICATE");
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.filter((line) => `${error.message}${error.stack}`.includes(line))).toEqual([]);
  });
});
