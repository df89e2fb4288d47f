// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  type Secret,
  SecretSchema,
} from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { TlsIdentity } from "../../tls/tls-plan.ts";
import { at, refuse, refuseOthers } from "../refuse.ts";
import { readIdentity } from "./read-identity.ts";
import { readValidation, type ValidationPart } from "./read-validation.ts";

/** What SDS has under a name. */
export type SecretValue =
  | { readonly kind: "identity"; readonly identity: TlsIdentity }
  | { readonly kind: "validation"; readonly validation: ValidationPart };

/** Reads a secret; files that it names are read now. Throws a `ConfigError`, which holds nothing of its content. */
export function readSecret(secret: Secret, path: string): SecretValue {
  refuseOthers(SecretSchema, secret, path, {
    name: "accepted",
    tls_certificate: "accepted",
    validation_context: "accepted",
  });
  const { case: kind, value } = secret.type;
  switch (kind) {
    case "tlsCertificate":
      return { kind: "identity", identity: readIdentity(value, at(path, "tls_certificate")) };
    case "validationContext":
      return { kind: "validation", validation: readValidation(value, at(path, "validation_context")) };
    default:
      return refuse("MSM_CONFIG_MISSING", path, "must have a tls_certificate or a validation_context");
  }
}
