// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape, packAny } from "@msm/xds-protos";
import { type TransportSocket, TransportSocketSchema } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type CertificateValidationContext,
  CertificateValidationContextSchema,
  SubjectAltNameMatcher_SanType,
  TlsParameters_TlsProtocol,
} from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import {
  type SdsSecretConfig,
  SdsSecretConfigSchema,
  SecretSchema,
} from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { DownstreamTlsContextSchema } from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { Mesh } from "../mesh/mesh.ts";
import type { ListenerTls, ObjectReference } from "../model/listener-tls.ts";
import { keyOf } from "../refusal.ts";
import { adsConfigSource } from "./config-source.ts";
import { objectName } from "./names.ts";
import type { Produced } from "./produced.ts";

/** TLS of a listener as Envoy has it; certificates and authorities come by SDS. */
export function transportSocket({ certificate, clientAuthorities, ...tls }: ListenerTls): TransportSocket {
  const defaultValidationContext = clientNames(tls.clientNames);
  const context = create(DownstreamTlsContextSchema, {
    commonTlsContext: {
      tlsParams: {
        tlsMinimumProtocolVersion:
          tls.minVersion === "1.3" ? TlsParameters_TlsProtocol.TLSv1_3 : TlsParameters_TlsProtocol.TLSv1_2,
      },
      tlsCertificateSdsSecretConfigs: [sdsConfig(certificate)],
      ...(clientAuthorities === undefined
        ? {}
        : {
            validationContextType: {
              case: "combinedValidationContext",
              value: {
                defaultValidationContext,
                validationContextSdsSecretConfig: sdsConfig(clientAuthorities),
              },
            },
          }),
    },
    ...(clientAuthorities === undefined ? {} : { requireClientCertificate: true }),
  });
  return create(TransportSocketSchema, {
    name: "envoy.transport_sockets.tls",
    configType: { case: "typedConfig", value: packAny(DownstreamTlsContextSchema, context) },
  });
}

type SecretType = NonNullable<MessageInitShape<typeof SecretSchema>["type"]>;

/** The secrets that a listener's TLS names. */
export function translateSecrets({ certificate, clientAuthorities }: ListenerTls, mesh: Mesh): Produced[] {
  const own = mesh.Secret.get(keyOf(certificate))?.certificate;
  const authorities = clientAuthorities && mesh.ConfigMap.get(keyOf(clientAuthorities))?.authorities;
  const produce = (reference: ObjectReference, type: SecretType): Produced => {
    const name = objectName(reference);
    const message = create(SecretSchema, { name, type });
    return { schema: SecretSchema, name, message, origins: [keyOf(reference)] };
  };
  return [
    ...(own === undefined
      ? []
      : [
          produce(certificate, {
            case: "tlsCertificate",
            value: { certificateChain: inline(own.chain), privateKey: inline(own.privateKey) },
          }),
        ]),
    ...(clientAuthorities === undefined || authorities === undefined
      ? []
      : [
          produce(clientAuthorities, {
            case: "validationContext",
            value: { trustedCa: inline(authorities) },
          }),
        ]),
  ];
}

function sdsConfig(reference: ObjectReference): SdsSecretConfig {
  return create(SdsSecretConfigSchema, { name: objectName(reference), sdsConfig: adsConfigSource() });
}

function inline(pem: string) {
  return { specifier: { case: "inlineBytes" as const, value: new TextEncoder().encode(pem) } };
}

/** `URI:…` and `DNS:…` as Envoy matches them: whole, or with `/*` at the end what is before the star. */
function clientNames(names: readonly string[]): CertificateValidationContext {
  return create(CertificateValidationContextSchema, {
    matchTypedSubjectAltNames: names.map((name) => {
      const sanType = name.startsWith("URI:")
        ? SubjectAltNameMatcher_SanType.URI
        : SubjectAltNameMatcher_SanType.DNS;
      const value = name.slice(name.indexOf(":") + 1);
      const matchPattern = value.endsWith("/*")
        ? ({ case: "prefix", value: value.slice(0, -1) } as const)
        : ({ case: "exact", value } as const);
      return { sanType, matcher: { matchPattern } };
    }),
  });
}
