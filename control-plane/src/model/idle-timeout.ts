// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { parseDuration } from "./duration.ts";
import { type Metadata, meshDomain } from "./metadata.ts";
import type { Refuse } from "./problem.ts";

/** The annotation of a Gateway or a UDPRoute that sets after how long a silent session is closed. */
export const idleTimeoutAnnotation = `${meshDomain}/idle-timeout`;

// Shorter closes sessions between two packets of slow audio; longer keeps dead ones for more than a day.
const MIN_MS = 100;
const MAX_MS = 86_400_000;

/** Reads the idle time-out in milliseconds; undefined where it is not set or was refused. */
export function readIdleTimeout(from: Metadata, refuse: Refuse): number | undefined {
  const text = from.annotations?.[idleTimeoutAnnotation];
  if (text === undefined) return undefined;
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined && milliseconds >= MIN_MS && milliseconds <= MAX_MS) return milliseconds;
  const path = ["metadata", "annotations", idleTimeoutAnnotation];
  refuse("MSM_FIELD_VALUE", path, `must be a duration from 100ms to 24h such as "60s", not "${text}"`);
  return undefined;
}
