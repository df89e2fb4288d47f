// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { ConfigNews } from "./config-news.ts";

test("tells each problem once, and when all are gone", async () => {
  const states: (readonly string[])[] = [[], ["a:1 X"], ["a:1 X", "b:2 Y"], [], []];
  const news = new ConfigNews({ problems: async () => states.shift()! });
  expect(await news.take()).toEqual([]);
  expect(await news.take()).toEqual(["Refused, what ran before runs on: a:1 X"]);
  expect(await news.take()).toEqual(["Refused, what ran before runs on: b:2 Y"]);
  expect(await news.take()).toEqual(["The configuration is right again and in force."]);
  expect(await news.take()).toEqual([]);
});

test("says nothing while the control plane does not answer", async () => {
  const news = new ConfigNews({ problems: () => Promise.reject(new Error("connection refused")) });
  expect(await news.take()).toEqual([]);
});
