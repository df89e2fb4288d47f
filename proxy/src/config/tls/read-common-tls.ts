// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import {
  type SdsSecretConfig,
  SdsSecretConfigSchema,
} from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  type CommonTlsContext,
  CommonTlsContext_CombinedCertificateValidationContextSchema,
  CommonTlsContextSchema,
} from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { TlsIdentity, TlsParameters } from "../../tls/tls-plan.ts";
import { checkAwaitedSource } from "../read-config-source.ts";
import { at, refuse, refuseOthers } from "../refuse.ts";
import { keyKindOf, readIdentity } from "./read-identity.ts";
import { readTlsParameters } from "./read-tls-parameters.ts";
import { readValidation, type ValidationPart } from "./read-validation.ts";

/** The certificates of one side: in place, or under which name SDS has the one. */
export type IdentityConfig =
  | { readonly kind: "inline"; readonly identities: readonly TlsIdentity[] }
  | { readonly kind: "sds"; readonly name: string };

/** Whose certificates are taken: what stands in place, and under which name SDS has the rest. */
export interface ValidationConfig extends ValidationPart {
  readonly secret?: string;
}

/** What both sides of TLS have. */
export interface CommonTls {
  readonly parameters: TlsParameters;
  readonly identity: IdentityConfig;
  readonly validation: ValidationConfig | undefined;
}

/** Reads what both sides of TLS have. Throws a `ConfigError`. */
export function readCommonTls(context: CommonTlsContext | undefined, path: string): CommonTls {
  if (context === undefined) return refuse("MSM_CONFIG_MISSING", path, "is needed");
  refuseOthers(CommonTlsContextSchema, context, path, {
    ...{ tls_params: "accepted", alpn_protocols: "accepted" },
    ...{ tls_certificates: "accepted", tls_certificate_sds_secret_configs: "accepted" },
    ...{ validation_context: "accepted", validation_context_sds_secret_config: "accepted" },
    combined_validation_context: "accepted",
  });
  return {
    parameters: readTlsParameters(context.tlsParams, context.alpnProtocols, path),
    identity: readIdentities(context, path),
    validation: readValidationType(context.validationContextType, path),
  };
}

/** The names under which SDS has what is not in place. */
export function secretNamesOf({ identity, validation }: Omit<CommonTls, "parameters">): readonly string[] {
  const names = identity.kind === "sds" ? [identity.name] : [];
  return validation?.secret === undefined ? names : [...names, validation.secret];
}

function readIdentities(context: CommonTlsContext, path: string): IdentityConfig {
  const { tlsCertificates, tlsCertificateSdsSecretConfigs } = context;
  const sdsPath = at(path, "tls_certificate_sds_secret_configs");
  const listPath = at(path, "tls_certificates");
  const [secret, ...others] = tlsCertificateSdsSecretConfigs;
  if (others.length > 0) refuse("MSM_TLS_CERTIFICATE", sdsPath, "must be one at most");
  if (secret !== undefined) {
    if (tlsCertificates.length > 0) {
      refuse("MSM_TLS_CERTIFICATE", listPath, `and ${sdsPath} exclude each other; remove one`);
    }
    return { kind: "sds", name: readSecretName(secret, `${sdsPath}[0]`) };
  }
  const identities = tlsCertificates.map((item, index) => readIdentity(item, `${listPath}[${index}]`));
  const kinds = new Set(identities.map(keyKindOf));
  if (kinds.size < identities.length) {
    refuse(
      "MSM_TLS_CERTIFICATE",
      listPath,
      "must be one of each kind of key; put all names into one certificate",
    );
  }
  return { kind: "inline", identities };
}

function readValidationType(
  { case: kind, value }: CommonTlsContext["validationContextType"],
  path: string,
): ValidationConfig | undefined {
  switch (kind) {
    case "validationContext":
      return readValidation(value, at(path, "validation_context"));
    case "validationContextSdsSecretConfig":
      return {
        names: [],
        secret: readSecretName(value, at(path, "validation_context_sds_secret_config")),
      };
    case "combinedValidationContext": {
      const combinedPath = at(path, "combined_validation_context");
      refuseOthers(CommonTlsContext_CombinedCertificateValidationContextSchema, value, combinedPath, {
        default_validation_context: "accepted",
        validation_context_sds_secret_config: "accepted",
      });
      const { defaultValidationContext: base, validationContextSdsSecretConfig: secret } = value;
      return {
        ...(base === undefined
          ? { names: [] }
          : readValidation(base, at(combinedPath, "default_validation_context"))),
        secret: readSecretName(secret, at(combinedPath, "validation_context_sds_secret_config")),
      };
    }
    default:
      // The other kinds were refused as fields.
      return undefined;
  }
}

function readSecretName(config: SdsSecretConfig | undefined, path: string): string {
  if (config === undefined) return refuse("MSM_CONFIG_MISSING", path, "is needed");
  refuseOthers(SdsSecretConfigSchema, config, path, { name: "accepted", sds_config: "accepted" });
  if (config.name === "") refuse("MSM_CONFIG_MISSING", at(path, "name"), "is needed");
  checkAwaitedSource(config.sdsConfig, at(path, "sds_config"));
  return config.name;
}
