// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** The page that shows what flows, drawn in the browser by the modules beside this file. */
export const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'">
<title>Media Streaming Mesh</title>
<style>
  :root { color-scheme: light dark; --ink: #1b2733; --dim: #6b7a89; --paper: #f6f8fa; --card: #fff; --line: #c9d3dd; --live: #1d7ad6; --bad: #c8322b; }
  @media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #8b98a5; --paper: #0f151b; --card: #182029; --line: #33404d; --live: #4aa3ff; --bad: #ff6b61; } }
  body { margin: 0 auto; max-width: 1040px; padding: 24px; background: var(--paper); color: var(--ink); font: 15px/1.4 system-ui, sans-serif; }
  h1 { font-size: 20px; margin: 0; } h2 { font: 600 14px/1.4 ui-monospace, monospace; margin: 0 0 8px; overflow-wrap: anywhere; }
  nav a { color: var(--live); margin-right: 14px; } header { display: flex; justify-content: space-between; flex-wrap: wrap; gap: 8px; margin-bottom: 16px; }
  section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; margin-bottom: 14px; }
  svg { width: 100%; display: block; } rect { fill: var(--paper); stroke: var(--line); } text { fill: var(--ink); font-size: 13px; }
  .note { fill: var(--dim); font-size: 11px; } .rate { text-anchor: end; fill: var(--live); font-weight: 600; } .idle { opacity: .55; }
  .bad rect { stroke: var(--bad); stroke-width: 2; } polyline { fill: none; stroke: var(--live); stroke-width: 1.5; }
  .edge { fill: none; stroke: var(--live); stroke-opacity: .7; stroke-dasharray: 8 5; animation: flow 1s linear infinite; }
  .edge.idle { stroke: var(--line); animation: none; } @keyframes flow { to { stroke-dashoffset: -26; } }
  @media (prefers-reduced-motion: reduce) { .edge { animation: none; } }
  .empty, #state { color: var(--dim); }
</style>
<header><h1>Media Streaming Mesh</h1><nav><a href="/listeners">listeners</a><a href="/clusters">clusters</a><a href="/streams?format=text">streams</a><a href="/stats/prometheus">metrics</a><a href="/config_dump">configuration</a><a href="/help">more</a></nav></header>
<main id="mesh"><p class="empty">One moment.</p></main>
<p id="state"></p>
<script type="module" src="/view/show-view.js"></script>
</html>
`;
