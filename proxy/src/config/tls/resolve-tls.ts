// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { PeerValidation, ServerTlsPlan, TlsIdentity } from "../../tls/tls-plan.ts";
import type { CommonTls, IdentityConfig, ValidationConfig } from "./read-common-tls.ts";
import type { SecretValue } from "./read-secret.ts";
import type { ServerTlsConfig } from "./read-server-tls.ts";
import { mergeValidation } from "./read-validation.ts";

/** Finds a secret by its name. */
export type FindSecret = (name: string) => SecretValue | undefined;

/** The plan of a listener's TLS, or what it waits for. */
export type Resolved<Plan> = { readonly plan: Plan } | { readonly missing: readonly string[] };

/** Puts a listener's TLS together with the secrets that it names. Pure. */
export function resolveServerTls(config: ServerTlsConfig, find: FindSecret): Resolved<ServerTlsPlan> {
  const parts = resolveParts(config, find);
  if ("missing" in parts) return parts;
  const { parameters, requiresCertificate } = config;
  const { identities, validation } = parts.plan;
  const plan = { parameters, identities, requiresCertificate };
  return { plan: validation === undefined ? plan : { ...plan, validation } };
}

interface Parts {
  readonly identities: readonly TlsIdentity[];
  readonly validation: PeerValidation | undefined;
}

function resolveParts({ identity, validation }: CommonTls, find: FindSecret): Resolved<Parts> {
  const missing: string[] = [];
  const identities = resolveIdentities(identity, find, missing);
  const peers = validation && resolveValidation(validation, find, missing);
  return missing.length > 0 ? { missing } : { plan: { identities, validation: peers } };
}

function resolveIdentities(
  config: IdentityConfig,
  find: FindSecret,
  missing: string[],
): readonly TlsIdentity[] {
  if (config.kind === "inline") return config.identities;
  const secret = find(config.name);
  if (secret?.kind === "identity") return [secret.identity];
  missing.push(`secret ${config.name}${secret === undefined ? "" : ", which is no tls_certificate"}`);
  return [];
}

function resolveValidation(
  config: ValidationConfig,
  find: FindSecret,
  missing: string[],
): PeerValidation | undefined {
  const { secret: name } = config;
  if (name === undefined) return mergeValidation(config, { names: [] });
  const secret = find(name);
  const whole = secret?.kind === "validation" ? mergeValidation(config, secret.validation) : undefined;
  if (whole === undefined) {
    const why = secret === undefined ? "" : ", which is no validation_context with trusted_ca";
    missing.push(`secret ${name}${why}`);
  }
  return whole;
}
