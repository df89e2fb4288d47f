// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Mesh } from "../mesh/mesh.ts";
import type { Validity } from "../model/pem.ts";
import { keyOf, type ResourceId } from "../refusal.ts";
import type { Condition } from "./programming.ts";

/** So long before a certificate expires somebody should know: tools that renew them do it earlier. */
const RENEWAL_MS = 14 * 24 * 3600 * 1000;

/**
 * Whether the certificates in force of a Secret or ConfigMap are valid now. It is a condition and no refusal: a
 * certificate expires while nothing changes, and a listener with an old one still serves those who do not mind.
 */
export function certificateCondition(id: ResourceId, mesh: Mesh, nowMs: number): readonly Condition[] {
  const validity = validityOf(id, mesh);
  if (validity === undefined) return [];
  const type = "CertificateValid";
  const { notBefore, notAfter } = validity;
  const until = `valid from ${notBefore.toISOString()} to ${notAfter.toISOString()}`;
  if (nowMs > notAfter.getTime()) {
    const message = `${until}: it has expired, and who checks it ends the connection; renew it`;
    return [{ type, status: "False", reason: "Expired", message }];
  }
  if (nowMs < notBefore.getTime()) {
    const message = `${until}: it is not valid yet; check the clock, or use another one`;
    return [{ type, status: "False", reason: "NotYetValid", message }];
  }
  const isEnding = nowMs > notAfter.getTime() - RENEWAL_MS;
  return [{ type, status: "True", reason: isEnding ? "ExpiresSoon" : "Valid", message: until }];
}

function validityOf(id: ResourceId, mesh: Mesh): Validity | undefined {
  if (id.kind === "Secret") return mesh.Secret.get(keyOf(id))?.certificate;
  return id.kind === "ConfigMap" ? mesh.ConfigMap.get(keyOf(id))?.validity : undefined;
}
