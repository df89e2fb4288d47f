// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { checkBootstrap } from "./check-bootstrap.ts";
import { readBootstrap } from "./config/bootstrap.ts";
import { parseBootstrapText } from "./config/bootstrap-source.ts";
import { builtinFolder, fakeFilterHost } from "./config/testdata/filters.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const [withoutControlPlane = "", withControlPlane = ""] = [...readme.matchAll(/```yaml\n(.*?)```/gs)].map(
  ([, yaml]) => yaml,
);

test("the bootstrap without a control plane is good as it stands", async () => {
  // The built-in filter of the tests has another name.
  const bootstrap = parse(
    withoutControlPlane.replace("inline_string: rtp-stats", "inline_string: pass"),
  ) as object;
  await checkBootstrap({ bootstrap, filters: builtinFolder(), parts: { filterHost: fakeFilterHost } });
});

test("the bootstrap with a control plane is good as it stands", () => {
  const { ads } = readBootstrap(parseBootstrapText(withControlPlane, "README.md"));
  expect(ads?.servers).toEqual([{ target: "dns:control-plane:15010" }]);
});
