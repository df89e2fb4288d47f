// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { registry } from "../gen/descriptors.js";
import { ListenerSchema } from "../gen/envoy/config/listener/v3/listener_pb.js";
import { typeUrlOf, typeUrls } from "./type-urls.ts";

test.each(Object.entries(typeUrls))("%s names a message of the registry", (_key, typeUrl) => {
  const schema = registry.getMessage(typeUrl.replace("type.googleapis.com/", ""));
  expect(schema && typeUrlOf(schema)).toBe(typeUrl);
});

test("a schema of the registry is the very object that its module exports", () => {
  expect(registry.getMessage("envoy.config.listener.v3.Listener")).toBe(ListenerSchema);
});
