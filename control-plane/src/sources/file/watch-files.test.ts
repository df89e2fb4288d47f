// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { FakeClock } from "../../testing/fake-clock.ts";
import { type WatchFolder, watchFiles } from "./watch-files.ts";

function watchWithFakes() {
  const clock = new FakeClock();
  const folders = new Map<string, () => void>();
  const watchFolder: WatchFolder = (folder, onEvent) => {
    if (folder.endsWith(".yaml")) throw new Error("not a folder");
    folders.set(folder, onEvent);
    return { close: () => folders.delete(folder) };
  };
  let looks = 0;
  const options = { clock, quietMs: 50, pollMs: 300, watchFolder };
  const watching = watchFiles(() => looks++, options);
  return { clock, folders, watching, looks: () => looks };
}

test("looks once, after a burst of events has been quiet for 50 ms", () => {
  const { clock, folders, watching, looks } = watchWithFakes();
  watching.follow(["/etc/mesh/a.yaml"]);
  for (let event = 0; event < 5; event++) {
    folders.get("/etc/mesh")!();
    clock.advance(40);
  }
  expect(looks()).toBe(0);
  clock.advance(10);
  expect(looks()).toBe(1);
});

test("looks every 300 ms without any event", () => {
  const { clock, watching, looks } = watchWithFakes();
  watching.follow(["/etc/mesh/a.yaml"]);
  clock.advance(900);
  expect(looks()).toBe(3);
});

test("watches the folders of what it follows and no others", () => {
  const { folders, watching } = watchWithFakes();
  watching.follow(["/one/a.yaml", "/two/b.yaml"]);
  expect([...folders.keys()]).toEqual(["/one", "/two"]);
  watching.follow(["/two/b.yaml"]);
  expect([...folders.keys()]).toEqual(["/two"]);
});

test("does nothing any more once it is closed", () => {
  const { clock, folders, watching, looks } = watchWithFakes();
  watching.follow(["/one/a.yaml"]);
  folders.get("/one")!();
  watching.close();
  clock.advance(10_000);
  expect(looks()).toBe(0);
  expect(folders.size).toBe(0);
});
