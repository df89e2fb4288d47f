// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isMessage, typeUrls, unpackAny } from "@msm/xds-protos";
import type { TransportSocket } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type CommonTlsContext,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { ResourceReference } from "./references.ts";

/** The secrets that a TLS transport socket takes by SDS. Secrets that lie in a proxy's bootstrap have no source. */
export function transportReferences(socket: TransportSocket | undefined): ResourceReference[] {
  const { configType } = socket ?? {};
  const config = configType?.case === "typedConfig" ? unpackAny(configType.value) : undefined;
  const isTls = isMessage(config, DownstreamTlsContextSchema) || isMessage(config, UpstreamTlsContextSchema);
  return isTls && config.commonTlsContext !== undefined ? secretsOf(config.commonTlsContext) : [];
}

function secretsOf({ tlsCertificateSdsSecretConfigs, validationContextType }: CommonTlsContext) {
  const { case: kind, value } = validationContextType;
  const validation =
    kind === "validationContextSdsSecretConfig"
      ? [value]
      : kind === "combinedValidationContext"
        ? [value.validationContextSdsSecretConfig]
        : [];
  return [...tlsCertificateSdsSecretConfigs, ...validation].flatMap((config): ResourceReference[] =>
    config?.sdsConfig === undefined ? [] : [{ typeUrl: typeUrls.secret, name: config.name }],
  );
}
