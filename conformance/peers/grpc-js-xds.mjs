// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// grpc-js-xds.mjs BOOTSTRAP TARGET: calls a target by xDS every 50 ms and prints each answer, or `error` and why.
import { createRequire } from "node:module";

const [bootstrap, target] = process.argv.slice(2);
process.env.GRPC_XDS_BOOTSTRAP = bootstrap;

// The package is a tool of xds-protos, which takes Envoy's protos from it.
const load = createRequire(new URL("../../xds-protos/package.json", import.meta.url));
load("@grpc/grpc-js-xds").register();
const { Client, credentials } = load("@grpc/grpc-js");

const client = new Client(target, credentials.createInsecure());
const bytes = (value) => value;

function call() {
  return new Promise((resolve) => {
    const deadline = { deadline: Date.now() + 5000 };
    client.makeUnaryRequest(
      "/conformance.Echo/Name",
      bytes,
      bytes,
      Buffer.alloc(0),
      deadline,
      (error, answer) => resolve(error ? `error ${error.message}` : answer.toString()),
    );
  });
}

for (;;) {
  console.log(await call());
  await new Promise((resolve) => setTimeout(resolve, 50));
}
