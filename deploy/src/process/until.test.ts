// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { until } from "./until.ts";

test("returns what the check found, exceptions counting as not yet", async () => {
  let calls = 0;
  const found = await until("the third call", () => {
    calls++;
    if (calls < 3) throw new Error("not yet");
    return calls;
  });
  expect(found).toBe(3);
});

test("names what it waited for, with the last error as the cause", async () => {
  const cause = new Error("refused");
  const waiting = until("the port was open", () => Promise.reject(cause), 30);
  await expect(waiting).rejects.toMatchObject({ message: "30 ms passed before the port was open", cause });
});
