// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { ServerInfo_State } from "@msm/xds-protos/envoy/admin/v3/server_info_pb.js";
import { expect, test } from "vitest";
import { ServerState } from "./server-state.ts";

const nameOf = (state: ServerState) => ServerInfo_State[state.value];

test("a proxy with static resources alone is live when they are applied", () => {
  const state = new ServerState(new Set(), () => 0);
  expect(nameOf(state)).toBe("PRE_INITIALIZING");
  state.start();
  expect(nameOf(state)).toBe("LIVE");
});

test("a proxy with a control plane is live when clusters and listeners came and none waits", () => {
  let warming = 0;
  const state = new ServerState(new Set(["cluster", "listener"]), () => warming);
  state.start();
  expect(nameOf(state)).toBe("PRE_INITIALIZING");
  state.answered("cluster");
  expect(nameOf(state)).toBe("INITIALIZING");
  warming = 2;
  state.answered("listener");
  expect(nameOf(state)).toBe("INITIALIZING");
  warming = 0;
  state.answered("typedExtensionConfig");
  expect(nameOf(state)).toBe("LIVE");
  warming = 1;
  state.answered("listener");
  expect(nameOf(state)).toBe("LIVE");
});

test("a proxy that waited long enough is live without its control plane", () => {
  const state = new ServerState(new Set(["cluster"]), () => 0);
  state.start();
  state.stopWaiting();
  expect(nameOf(state)).toBe("LIVE");
});

test("draining shows until it is taken back", () => {
  const state = new ServerState(new Set(), () => 0);
  state.start();
  state.setDraining(true);
  expect(nameOf(state)).toBe("DRAINING");
  state.setDraining(false);
  expect(nameOf(state)).toBe("LIVE");
});
