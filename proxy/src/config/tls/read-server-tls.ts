// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { TransportSocket } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import { RawBufferSchema } from "@msm/xds-protos/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js";
import {
  DownstreamTlsContext_OcspStaplePolicy,
  DownstreamTlsContextSchema,
} from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { at, onlyFalse, refuse, refuseOthers } from "../refuse.ts";
import { typeNameOf, unpack } from "../unpack.ts";
import { type CommonTls, readCommonTls } from "./read-common-tls.ts";
import { wholeValidation } from "./read-validation.ts";

/** TLS of a listener as configured: secrets perhaps still to come. */
export interface ServerTlsConfig extends CommonTls {
  readonly requiresCertificate: boolean;
}

/** Reads the `transport_socket` of a filter chain; undefined is plain text. Throws a `ConfigError`. */
export function readServerTls(
  socket: TransportSocket | undefined,
  path: string,
): ServerTlsConfig | undefined {
  const config = socket?.configType.case === "typedConfig" ? socket.configType.value : undefined;
  if (socket === undefined || isPlain(config?.typeUrl)) return undefined;
  const configPath = at(path, "typed_config");
  const context = unpack(DownstreamTlsContextSchema, config, configPath);
  refuseOthers(DownstreamTlsContextSchema, context, configPath, {
    common_tls_context: "accepted",
    require_client_certificate: "accepted",
    require_sni: onlyFalse,
    full_scan_certs_on_sni_mismatch: onlyFalse,
    disable_stateless_session_resumption: onlyFalse,
    ocsp_staple_policy: {
      only: DownstreamTlsContext_OcspStaplePolicy.LENIENT_STAPLING,
      hint: "nothing is stapled here; set it to LENIENT_STAPLING",
    },
  });
  const commonPath = at(configPath, "common_tls_context");
  const common = readCommonTls(context.commonTlsContext, commonPath);
  if (common.identity.kind === "inline" && common.identity.identities.length === 0) {
    refuse("MSM_TLS_CERTIFICATE", at(commonPath, "tls_certificates"), "must be one at least, here or by SDS");
  }
  const requiresCertificate = context.requireClientCertificate ?? false;
  const { validation } = common;
  if (requiresCertificate && validation === undefined) {
    const problem = "is needed where require_client_certificate is set: whose certificates are taken?";
    refuse("MSM_TLS_VALIDATION", at(commonPath, "validation_context"), problem);
  }
  if (validation !== undefined && validation.secret === undefined) {
    wholeValidation(validation, at(commonPath, "validation_context"));
  }
  return { ...common, requiresCertificate };
}

/** A `RawBuffer` is Envoy's way to say that there is no TLS. */
function isPlain(typeUrl: string | undefined): boolean {
  return typeUrl !== undefined && typeNameOf(typeUrl) === RawBufferSchema.typeName;
}
