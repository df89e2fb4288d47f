// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** A condition of a resource, in the words of Kubernetes. */
export interface Condition {
  readonly type: "Accepted" | "ResolvedRefs" | "Programmed" | "CertificateValid";
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** What one proxy did with one xDS resource. */
export type Outcome =
  | { readonly state: "accepted" | "pending" }
  | { readonly state: "refused"; readonly nodeId: string; readonly error: string };

/** Sums up what the proxies did with the xDS resources made from one mesh resource. */
export function programmedCondition(entryCount: number, outcomes: readonly Outcome[]): Condition {
  const type = "Programmed";
  if (entryCount === 0) {
    return { type, status: "Unknown", reason: "NothingToProgram", message: "no listener is made from it" };
  }
  if (outcomes.length === 0) {
    return { type, status: "Unknown", reason: "NoProxy", message: "no proxy is connected" };
  }
  const refused = outcomes.flatMap((outcome) => (outcome.state === "refused" ? [outcome] : []));
  if (refused.length > 0) {
    const messages = refused.map(({ nodeId, error }) => `${nodeId}: ${error}`);
    return { type, status: "False", reason: "RefusedByProxy", message: [...new Set(messages)].join("\n") };
  }
  if (outcomes.some(({ state }) => state === "pending")) {
    return { type, status: "Unknown", reason: "Pending", message: "not every proxy has answered yet" };
  }
  return { type, status: "True", reason: "Programmed", message: "every connected proxy took it" };
}
