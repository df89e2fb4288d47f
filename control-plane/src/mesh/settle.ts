// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Resource } from "../model/index.ts";
import { keyOf } from "../refusal.ts";
import { checkCertificates } from "./check-certificates.ts";
import { checkFilters } from "./check-filters.ts";
import { checkGateways } from "./check-gateways.ts";
import { checkRoutes } from "./check-routes.ts";
import { checkServicePolicies } from "./check-service-policies.ts";
import { buildMesh, type Mesh } from "./mesh.ts";
import { MeshMemo } from "./mesh-memo.ts";
import type { MeshProblem } from "./mesh-problem.ts";

/** The forms in which a resource could be in force. */
export interface Candidate {
  readonly key: string;
  /** The newest form, where it passed its own checks. */
  readonly fresh: Resource | undefined;
  /** The form that is in force now. */
  readonly previous: Resource | undefined;
}

/** Which form of each resource is in force, and what was found against the others. */
export interface Settled {
  readonly inForce: ReadonlyMap<string, Resource>;
  readonly problems: readonly MeshProblem[];
}

/** The forms that a resource has left, the one that counts first. */
interface Forms {
  readonly previous: Resource | undefined;
  readonly left: Resource[];
}

// A check is made again only when a kind that it looks at has changed.
const checks = [checkGateways, checkServicePolicies, checkCertificates, checkRoutes, checkFilters].map(
  (check) => {
    const memo = new MeshMemo<readonly MeshProblem[]>("kind");
    return (mesh: Mesh) => memo.get(mesh.Gateway, "", mesh, check);
  },
);

/** What does not fit together in a mesh, of one kind at a time: a Gateway that falls back may be what a route asks for. */
export function findProblems(mesh: Mesh): readonly MeshProblem[] {
  for (const check of checks) {
    const found = check(mesh);
    if (found.length > 0) return found;
  }
  return [];
}

/**
 * Decides which form of each resource is in force so that all of them fit together. A form that does not fit
 * yields to the one in force before, and that, if it fits no more, to none. What a resource in its last form needs
 * (a route its backend) stays as it was, even if it is `deleted`: a slip in one place does not stop another. Each step
 * only ever takes a form away or brings one deleted resource back, so it ends. `before` is the mesh in force until now.
 */
export function settle(
  candidates: readonly Candidate[],
  deleted: ReadonlyMap<string, Resource>,
  before?: Mesh,
): Settled {
  const forms = new Map(candidates.map((candidate) => [candidate.key, formsOf(candidate)]));
  const problems: MeshProblem[] = [];
  for (;;) {
    const found = findProblems(buildMesh(byPrecedence(forms), before));
    if (found.length === 0) break;
    problems.push(...found);
    const restored = new Set<string>();
    for (const problem of found) yieldForm(problem, forms, deleted, restored);
  }
  const inForce = new Map<string, Resource>();
  for (const [key, { left }] of forms) if (left[0] !== undefined) inForce.set(key, left[0]);
  return { inForce, problems: withoutRepeats(problems) };
}

function formsOf({ fresh, previous }: Candidate): Forms {
  const left = fresh === undefined ? [] : [fresh];
  if (previous !== undefined && previous !== fresh) left.push(previous);
  return { previous, left };
}

// What is in force unchanged comes first, then what changed, then what is new: nobody is driven out by a newcomer.
function byPrecedence(forms: ReadonlyMap<string, Forms>): readonly Resource[] {
  const kept: Resource[] = [];
  const changed: Resource[] = [];
  const fresh: Resource[] = [];
  for (const { previous, left } of forms.values()) {
    const [form] = left;
    if (form === undefined) continue;
    if (form === previous) kept.push(form);
    else (previous === undefined ? fresh : changed).push(form);
  }
  return [...kept, ...changed, ...fresh];
}

function yieldForm(
  problem: MeshProblem,
  forms: Map<string, Forms>,
  deleted: ReadonlyMap<string, Resource>,
  restored: Set<string>,
): void {
  const own = forms.get(keyOf(problem.resource.id))?.left;
  // An earlier problem of this round already took the form away.
  if (own === undefined || own[0] !== problem.resource) return;
  const { needs } = problem;
  if (own.length > 1 || needs === undefined) own.shift();
  // Several may need the same: once it is brought back, all of them are looked at again in the next round.
  else if (!restored.has(needs) && !restore(needs, forms, deleted)) own.shift();
  else restored.add(needs);
}

// Brings back what a resource needs in its last form: deleted, or in the form before.
function restore(key: string, forms: Map<string, Forms>, deleted: ReadonlyMap<string, Resource>): boolean {
  const needed = forms.get(key)?.left;
  if (needed !== undefined && needed.length > 1) {
    needed.shift();
    return true;
  }
  const gone = deleted.get(key);
  if (needed !== undefined || gone === undefined) return false;
  forms.set(key, { previous: gone, left: [gone] });
  return true;
}

function withoutRepeats(problems: readonly MeshProblem[]): MeshProblem[] {
  const seen = new Set<string>();
  return problems.filter((problem) => {
    const key = `${keyOf(problem.resource.id)} ${problem.code} ${problem.path.join(".")}`;
    return seen.size < seen.add(key).size;
  });
}
