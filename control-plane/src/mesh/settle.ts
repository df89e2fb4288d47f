// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Resource } from "../model/index.ts";
import { keyOf } from "../refusal.ts";
import { checkFilters } from "./check-filters.ts";
import { checkGateways } from "./check-gateways.ts";
import { checkRoutes } from "./check-routes.ts";
import { buildMesh } from "./mesh.ts";
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

/**
 * Decides which form of each resource is in force so that all of them fit together. A form that does not fit
 * yields to the one in force before, and that, if it fits no more, to none. What a resource in its last form needs
 * (a route its backend) stays as it was, even if it is `deleted`: a slip in one place does not stop another. Each step only ever takes a form away or brings one
 * deleted resource back, so it ends.
 */
export function settle(candidates: readonly Candidate[], deleted: ReadonlyMap<string, Resource>): Settled {
  const forms = new Map(candidates.map((candidate) => [candidate.key, formsOf(candidate)]));
  const problems: MeshProblem[] = [];
  for (;;) {
    const mesh = buildMesh(byPrecedence(candidates, forms));
    // One kind at a time: a Gateway that falls back may be just what a route asks for.
    const found = [checkGateways, checkRoutes, checkFilters]
      .map((check) => check(mesh))
      .find((list) => list.length > 0);
    if (found === undefined) break;
    problems.push(...found);
    const restored = new Set<string>();
    for (const problem of found) yieldForm(problem, forms, deleted, restored);
  }
  const inForce = new Map<string, Resource>();
  for (const [key, [form]] of forms) if (form !== undefined) inForce.set(key, form);
  return { inForce, problems: withoutRepeats(problems) };
}

function formsOf({ fresh, previous }: Candidate): Resource[] {
  const forms = fresh === undefined ? [] : [fresh];
  if (previous !== undefined && previous !== fresh) forms.push(previous);
  return forms;
}

// What is in force unchanged comes first, then what changed, then what is new: nobody is driven out by a newcomer.
function byPrecedence(
  candidates: readonly Candidate[],
  forms: ReadonlyMap<string, readonly Resource[]>,
): Resource[] {
  const previousOf = new Map(candidates.map(({ key, previous }) => [key, previous]));
  const ranks: [Resource[], Resource[], Resource[]] = [[], [], []];
  for (const [key, [form]] of forms) {
    if (form === undefined) continue;
    const previous = previousOf.get(key);
    const isKept = form === previous || !previousOf.has(key);
    ranks[isKept ? 0 : previous === undefined ? 2 : 1].push(form);
  }
  return ranks.flat();
}

function yieldForm(
  problem: MeshProblem,
  forms: Map<string, Resource[]>,
  deleted: ReadonlyMap<string, Resource>,
  restored: Set<string>,
): void {
  const own = forms.get(keyOf(problem.resource.id));
  // An earlier problem of this round already took the form away.
  if (own === undefined || own[0] !== problem.resource) return;
  const { needs } = problem;
  if (own.length > 1 || needs === undefined) own.shift();
  // Several may need the same: once it is brought back, all of them are looked at again in the next round.
  else if (!restored.has(needs) && !restore(needs, forms, deleted)) own.shift();
  else restored.add(needs);
}

// Brings back what a resource needs in its last form: deleted, or in the form before.
function restore(
  key: string,
  forms: Map<string, Resource[]>,
  deleted: ReadonlyMap<string, Resource>,
): boolean {
  const needed = forms.get(key);
  if (needed !== undefined && needed.length > 1) {
    needed.shift();
    return true;
  }
  const gone = deleted.get(key);
  if (needed !== undefined || gone === undefined) return false;
  forms.set(key, [gone]);
  return true;
}

function withoutRepeats(problems: readonly MeshProblem[]): MeshProblem[] {
  const seen = new Set<string>();
  return problems.filter((problem) => {
    const key = `${keyOf(problem.resource.id)} ${problem.code} ${problem.path.join(".")}`;
    return seen.size < seen.add(key).size;
  });
}
