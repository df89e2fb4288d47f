// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Looks every few milliseconds until `condition` gives something; fails after `deadlineMs`. */
export async function waitUntil<Value>(
  condition: () => Value | undefined | false | Promise<Value | undefined | false>,
  deadlineMs = 5000,
): Promise<Value> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`not fulfilled within ${deadlineMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
