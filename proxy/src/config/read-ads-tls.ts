// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  type DataSource,
  DataSourceSchema,
  type TransportSocket,
} from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type GrpcService_GoogleGrpc_ChannelCredentials,
  GrpcService_GoogleGrpc_SslCredentialsSchema,
} from "@msm/xds-protos/envoy/config/core/v3/grpc_service_pb.js";
import {
  type CertificateValidationContext,
  CertificateValidationContextSchema,
  type SubjectAltNameMatcher,
  SubjectAltNameMatcher_SanType,
  type TlsCertificate,
  TlsCertificateSchema,
} from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import {
  type CommonTlsContext,
  CommonTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { type AdsTls, type PemSource, readPem } from "./ads-server.ts";
import { at, refuse, refuseOthers } from "./refuse.ts";
import { unpack } from "./unpack.ts";

/** Reads the `transport_socket` of a control plane's cluster; undefined is plain text. Throws a `ConfigError`. */
export function readEnvoyTls(socket: TransportSocket | undefined, path: string): AdsTls | undefined {
  if (socket === undefined) return undefined;
  const any = socket.configType.case === "typedConfig" ? socket.configType.value : undefined;
  const configPath = at(path, "typed_config");
  const context = unpack(UpstreamTlsContextSchema, any, configPath);
  refuseOthers(UpstreamTlsContextSchema, context, configPath, {
    common_tls_context: "accepted",
    sni: "accepted",
  });
  const { sni, commonTlsContext } = context;
  return {
    ...(sni === "" ? {} : { serverName: sni }),
    ...readCommon(commonTlsContext, at(configPath, "common_tls_context")),
  };
}

/** Reads `channel_credentials`; undefined is plain text. Throws a `ConfigError`. */
export function readGoogleTls(
  given: GrpcService_GoogleGrpc_ChannelCredentials | undefined,
  path: string,
): AdsTls | undefined {
  const specifier = given?.credentialSpecifier;
  if (specifier?.case !== "sslCredentials") {
    if (specifier?.case === undefined) return undefined;
    refuse("MSM_BOOTSTRAP_TLS", path, "must be ssl_credentials, or nothing for plain text");
  }
  const sslPath = at(path, "ssl_credentials");
  refuseOthers(GrpcService_GoogleGrpc_SslCredentialsSchema, specifier.value, sslPath, {
    root_certs: "accepted",
    private_key: "accepted",
    cert_chain: "accepted",
  });
  const { rootCerts, privateKey, certChain } = specifier.value;
  const identity = readIdentity(certChain, privateKey, [
    at(sslPath, "cert_chain"),
    at(sslPath, "private_key"),
  ]);
  return {
    ...(rootCerts === undefined ? {} : { authorities: readSource(rootCerts, at(sslPath, "root_certs")) }),
    ...(identity === undefined ? {} : { identity }),
  };
}

function readCommon(context: CommonTlsContext | undefined, path: string): AdsTls {
  const validation = context?.validationContextType;
  const validationPath = at(path, "validation_context");
  if (context === undefined || validation?.case !== "validationContext") {
    refuse(
      "MSM_BOOTSTRAP_TLS",
      validationPath,
      "is needed: without trusted_ca anybody could be the control plane",
    );
  }
  refuseOthers(CommonTlsContextSchema, context, path, {
    tls_certificates: "accepted",
    validation_context: "accepted",
    // gRPC speaks HTTP/2 and says so.
    alpn_protocols: "accepted",
  });
  const [certificate, ...others] = context.tlsCertificates;
  const certificatePath = at(path, "tls_certificates");
  if (others.length > 0) refuse("MSM_BOOTSTRAP_TLS", certificatePath, "must be one at most");
  return {
    ...readValidation(validation.value, validationPath),
    ...(certificate === undefined ? {} : { identity: readCertificate(certificate, `${certificatePath}[0]`) }),
  };
}

function readValidation(context: CertificateValidationContext, path: string): AdsTls {
  refuseOthers(CertificateValidationContextSchema, context, path, {
    trusted_ca: "accepted",
    match_typed_subject_alt_names: "accepted",
  });
  const { trustedCa, matchTypedSubjectAltNames: names } = context;
  const caPath = at(path, "trusted_ca");
  if (trustedCa === undefined) refuse("MSM_BOOTSTRAP_TLS", caPath, "is needed");
  const namesPath = at(path, "match_typed_subject_alt_names");
  return {
    authorities: readSource(trustedCa, caPath),
    ...(names.length === 0
      ? {}
      : { serverNames: names.map((name, index) => readName(name, `${namesPath}[${index}]`)) }),
  };
}

function readName({ sanType, matcher }: SubjectAltNameMatcher, path: string): string {
  const isUri = sanType === SubjectAltNameMatcher_SanType.URI;
  const isKnown = isUri || sanType === SubjectAltNameMatcher_SanType.DNS;
  if (!isKnown || matcher?.matchPattern.case !== "exact" || matcher.ignoreCase) {
    refuse("MSM_BOOTSTRAP_TLS", path, "must be a san_type URI or DNS with a matcher { exact: … }");
  }
  return `${isUri ? "URI" : "DNS"}:${matcher.matchPattern.value}`;
}

function readCertificate(certificate: TlsCertificate, path: string): NonNullable<AdsTls["identity"]> {
  refuseOthers(TlsCertificateSchema, certificate, path, {
    certificate_chain: "accepted",
    private_key: "accepted",
  });
  const paths = [at(path, "certificate_chain"), at(path, "private_key")] as const;
  const identity = readIdentity(certificate.certificateChain, certificate.privateKey, paths);
  return identity ?? refuse("MSM_BOOTSTRAP_TLS", path, "needs certificate_chain and private_key");
}

function readIdentity(
  chain: DataSource | undefined,
  key: DataSource | undefined,
  [chainPath, keyPath]: readonly [string, string],
): AdsTls["identity"] {
  if (chain === undefined && key === undefined) return undefined;
  if (chain === undefined) refuse("MSM_BOOTSTRAP_TLS", chainPath, "is needed beside the key");
  if (key === undefined) refuse("MSM_BOOTSTRAP_TLS", keyPath, "is needed beside the certificate");
  if (key.specifier.case !== "filename") {
    refuse(
      "MSM_BOOTSTRAP_TLS",
      keyPath,
      "must be a filename: what stands in the bootstrap shows in dumps of it",
    );
  }
  return { certificate: readSource(chain, chainPath), privateKey: readSource(key, keyPath) };
}

/** What cannot be read now would not be read later: the start is the time to say so. */
function readSource(source: DataSource, path: string): PemSource {
  refuseOthers(DataSourceSchema, source, path, {
    filename: "accepted",
    inline_string: "accepted",
    inline_bytes: "accepted",
  });
  const pem = pemOf(source, path);
  try {
    if (readPem(pem).includes("-----BEGIN ")) return pem;
  } catch (error) {
    refuse("MSM_BOOTSTRAP_TLS", path, `cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  return refuse("MSM_BOOTSTRAP_TLS", path, "is not PEM");
}

function pemOf({ specifier }: DataSource, path: string): PemSource {
  if (specifier.case === "filename") return { file: specifier.value };
  if (specifier.case === "inlineString") return { text: specifier.value };
  if (specifier.case === "inlineBytes") return { text: Buffer.from(specifier.value).toString("latin1") };
  return refuse("MSM_BOOTSTRAP_TLS", path, "must have a filename or the PEM itself");
}
