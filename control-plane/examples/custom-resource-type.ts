// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Any protobuf message can be a resource. Here it is google.protobuf.StringValue, made when a client first asks for it;
// clients that name nothing get all there are.
import { createEntry, createSnapshot, createXdsServer, SnapshotCache } from "@msm/control-plane/xds";
import { create, StringValueSchema, typeUrlOf } from "@msm/xds-protos";

const greeting = typeUrlOf(StringValueSchema);
const cache = new SnapshotCache();
const texts = new Map([["world", "Hello, world!"]]);

function publish(): void {
  const entries = [...texts].map(([name, value]) =>
    createEntry(StringValueSchema, name, create(StringValueSchema, { value })),
  );
  cache.set("default", createSnapshot(entries));
}

/** Changes a text, or removes it: every client that wants it hears of that. */
export function setText(name: string, value: string | undefined): void {
  if (value === undefined) texts.delete(name);
  else texts.set(name, value);
  publish();
}

publish();
export const server = await createXdsServer({
  cache,
  listeners: [{ address: process.env.XDS_ADDRESS ?? "127.0.0.1:15010" }],
  wholeTypes: [greeting],
  onMissing({ typeUrl, name }) {
    if (typeUrl !== greeting || !name.startsWith("guest-")) return false;
    setImmediate(() => setText(name, `Welcome, ${name}!`));
    return true;
  },
});
