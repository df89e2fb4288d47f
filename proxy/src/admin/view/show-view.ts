// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// The one part of the page that touches it: asks the proxy each second and has the answer drawn.
import { drawView } from "./draw-view.ts";
import { emptyView, lookAgain, type ViewedFlow, type ViewedStream, type ViewState } from "./view-model.ts";

/** What is used of the browser, whose types the proxy does not load. */
interface Page {
  readonly document: { getElementById(id: string): { innerHTML: string; textContent: string | null } | null };
}

const INTERVAL_MS = 1000;
const { document } = globalThis as unknown as Page;

async function ask<T>(path: string): Promise<readonly T[]> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return (await response.json()) as readonly T[];
}

async function show(before: ViewState): Promise<ViewState> {
  const mesh = document.getElementById("mesh");
  const state = document.getElementById("state");
  if (mesh === null || state === null) return before;
  try {
    const [flows, streams] = await Promise.all([ask<ViewedFlow>("/flows"), ask<ViewedStream>("/streams")]);
    const now = lookAgain(before, performance.now(), flows, streams);
    mesh.innerHTML = drawView(now.rows);
    state.textContent = "";
    return now;
  } catch (error) {
    // The picture stays as it was; the proxy may come back.
    state.textContent = `The proxy does not answer: ${String(error)}`;
    return before;
  }
}

let view = emptyView;
for (;;) {
  view = await show(view);
  await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
}
