// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { type CertificateName, certificates } from "../../../tls/testdata/certificates.ts";
import { ADS, signallingJson } from "../../testdata/resources.ts";

const TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3";

const inline = (text: string): JsonObject => ({ inline_string: text });

/** A `TlsCertificate` with the certificate and the key of these names. */
export function tlsCertificateJson(
  certificate: CertificateName,
  key: CertificateName = certificate,
): JsonObject {
  return {
    certificate_chain: inline(certificates[certificate].certificate),
    private_key: inline(certificates[key].privateKey),
  };
}

/** A `CertificateValidationContext` that takes what the authority signed. */
export function validationJson(changes: JsonObject = {}): JsonObject {
  return { trusted_ca: inline(certificates.authority.certificate), ...changes };
}

/** A `Secret` as SDS sends it. */
export function secretJson(name: string, type: JsonObject): JsonObject {
  return { "@type": `${TLS}.Secret`, name, ...type };
}

/** An `SdsSecretConfig` for the aggregated stream. */
export function sdsJson(name: string): JsonObject {
  return { name, sds_config: ADS };
}

/** A `transport_socket` with a `DownstreamTlsContext`. */
export function serverTlsJson(common: JsonObject, changes: JsonObject = {}): JsonObject {
  const typed_config = { "@type": `${TLS}.DownstreamTlsContext`, common_tls_context: common, ...changes };
  return { name: "envoy.transport_sockets.tls", typed_config };
}

/** A TCP listener with TLS. */
export function tlsListenerJson(name: string, port: number, transport_socket: JsonObject): JsonObject {
  const listener = signallingJson(name, port);
  const [chain] = listener.filter_chains as readonly JsonObject[];
  return { ...listener, filter_chains: [{ ...chain, transport_socket }] };
}
