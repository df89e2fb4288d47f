// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create, type MessageInitShape, timestampFromDate } from "@msm/xds-protos";
import {
  type CertificateDetails,
  CertificateDetailsSchema,
  type Certificates,
  CertificatesSchema,
  type SubjectAlternateNameSchema,
} from "@msm/xds-protos/envoy/admin/v3/certs_pb.js";

import type { Plan } from "../plan.ts";
import { certificateFacts, daysLeft } from "../tls/certificate-facts.ts";
import type { CertificateName } from "../tls/subject-alt-names.ts";
import type { ServerTlsPlan } from "../tls/tls-plan.ts";

/** The certificates in force as `envoy.admin.v3.Certificates`: for each context, authorities and chains. */
export function certificatesOf(plan: Plan, nowMs: number): Certificates {
  const details = (pem: string, path: string): CertificateDetails[] =>
    certificateFacts(pem).map((facts) =>
      create(CertificateDetailsSchema, {
        path,
        serialNumber: facts.serialNumber,
        subjectAltNames: facts.names.flatMap(shownName),
        daysUntilExpiration: BigInt(daysLeft(facts, nowMs)),
        validFrom: timestampFromDate(facts.validFrom),
        expirationTime: timestampFromDate(facts.validTo),
      }),
    );
  return create(CertificatesSchema, {
    certificates: contextsOf(plan).map(({ identities, validation }) => ({
      caCert: validation === undefined ? [] : details(validation.authorities, validation.path),
      certChain: identities.flatMap(({ certificate, path }) => details(certificate, path)),
    })),
  });
}

/** Whole days until the first certificate in force expires, authorities included; undefined where there are none. */
export function daysUntilFirstExpires(plan: Plan, nowMs: number): number | undefined {
  const texts = contextsOf(plan).flatMap(({ identities, validation }) => [
    ...identities.map(({ certificate }) => certificate),
    ...(validation === undefined ? [] : [validation.authorities]),
  ]);
  const days = texts.flatMap(certificateFacts).map((facts) => daysLeft(facts, nowMs));
  return days.length === 0 ? undefined : Math.min(...days);
}

function contextsOf({ signalling = [] }: Plan): readonly Pick<ServerTlsPlan, "identities" | "validation">[] {
  return signalling.flatMap(({ tls }) => tls ?? []);
}

// Envoy shows these kinds of names.
function shownName({ kind, value }: CertificateName): MessageInitShape<typeof SubjectAlternateNameSchema>[] {
  if (kind === "DNS") return [{ name: { case: "dns", value } }];
  if (kind === "URI") return [{ name: { case: "uri", value } }];
  return kind === "IP Address" ? [{ name: { case: "ipAddress", value } }] : [];
}
