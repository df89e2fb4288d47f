// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from "node:crypto";
import {
  type CertificateValidationContext,
  CertificateValidationContextSchema,
  type SubjectAltNameMatcher,
  SubjectAltNameMatcher_SanType,
} from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { pemCertificates } from "../../tls/certificate-facts.ts";
import type { NameTest, PeerValidation } from "../../tls/tls-plan.ts";
import { readStringMatcher } from "../read-string-matcher.ts";
import { at, refuse, refuseOthers } from "../refuse.ts";
import { type Pem, readPem } from "./read-pem.ts";

/** A validation context, or the part of one that stands in one place. */
export interface ValidationPart {
  readonly authorities?: Pem;
  readonly names: readonly NameTest[];
}

const CODE = "MSM_TLS_VALIDATION";

/** Reads a validation context. Throws a `ConfigError`. */
export function readValidation(context: CertificateValidationContext, path: string): ValidationPart {
  refuseOthers(CertificateValidationContextSchema, context, path, {
    trusted_ca: "accepted",
    match_typed_subject_alt_names: "accepted",
  });
  const { trustedCa, matchTypedSubjectAltNames } = context;
  const namesPath = at(path, "match_typed_subject_alt_names");
  const names = matchTypedSubjectAltNames.map((name, index) => readName(name, `${namesPath}[${index}]`));
  if (trustedCa === undefined) return { names };
  const caPath = at(path, "trusted_ca");
  const authorities = readPem(trustedCa, caPath, CODE);
  checkAuthorities(authorities.text, caPath);
  return { authorities, names };
}

/** What two parts come to, as Envoy merges them; undefined where neither names authorities. */
export function mergeValidation(base: ValidationPart, over: ValidationPart): PeerValidation | undefined {
  const authorities = over.authorities ?? base.authorities;
  if (authorities === undefined) return undefined;
  return { authorities: authorities.text, path: authorities.path, names: [...base.names, ...over.names] };
}

/** A validation context that stands in one place has to be whole: names alone could be claimed by anybody. */
export function wholeValidation(part: ValidationPart, path: string): PeerValidation {
  const whole = mergeValidation(part, { names: [] });
  return whole ?? refuse(CODE, at(path, "trusted_ca"), "is needed: without it anybody can claim any name");
}

function readName({ sanType, matcher }: SubjectAltNameMatcher, path: string): NameTest {
  const isUri = sanType === SubjectAltNameMatcher_SanType.URI;
  if (!isUri && sanType !== SubjectAltNameMatcher_SanType.DNS) {
    refuse(CODE, at(path, "san_type"), "must be URI or DNS");
  }
  if (matcher === undefined) return refuse("MSM_CONFIG_MISSING", at(path, "matcher"), "is needed");
  return { kind: isUri ? "URI" : "DNS", test: readStringMatcher(matcher, at(path, "matcher")) };
}

// OpenSSL would leave out what it cannot read, and then trust fewer than was meant.
function checkAuthorities(pem: string, path: string): void {
  const blocks = pemCertificates(pem);
  if (blocks.length === 0 || blocks.length !== pem.split("-----BEGIN ").length - 1) {
    refuse(CODE, path, "must be certificates in PEM, and nothing else");
  }
  for (const [index, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch {
      refuse(CODE, path, `certificate ${index + 1} of ${blocks.length} cannot be read`);
    }
  }
}
