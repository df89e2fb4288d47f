// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { opensslNeed } from "../../certificates.ts";
import type { Suite } from "../../runner/suite.ts";
import { envoyNeed } from "./envoy.ts";
import { envoyAllTypes } from "./envoy-all-types.ts";
import { envoyMutualTls } from "./envoy-mutual-tls.ts";
import { envoyRefusal } from "./envoy-refusal.ts";
import { envoySeparate } from "./envoy-separate.ts";
import { envoyTtl } from "./envoy-ttl.ts";
import { envoyUdp } from "./envoy-udp.ts";
import { envoyValidate } from "./envoy-validate.ts";
import { grpcClient } from "./grpc-client.ts";
import { hostileClients } from "./hostile-clients.ts";
import { istioctl } from "./istioctl.ts";
import { proxyClient } from "./proxy-client.ts";
import { serverRestart } from "./server-restart.ts";

const variants = ["sotw", "delta"] as const;

/** Clients of others, our own and hostile ones on our xDS server: the control plane's, and one made with its library. */
export const suite: Suite = {
  title: "xDS clients: Envoy, two gRPC libraries, our proxy, and thousands at once",
  needs: [
    envoyNeed,
    opensslNeed,
    {
      name: "gRPC's core library with its Python binding",
      find: ["/usr/bin/python3", "-c", "import grpc"],
      packages: ["python3-grpcio"],
    },
  ],
  scenarios: [
    envoyValidate,
    ...variants.flatMap((variant) => [
      envoyAllTypes(variant),
      envoyUdp(variant),
      envoyRefusal(variant),
      envoySeparate(variant),
      envoyTtl(variant),
    ]),
    envoyMutualTls,
    istioctl,
    ...variants.map(proxyClient),
    serverRestart,
    hostileClients,
    grpcClient({ name: "@grpc/grpc-js-xds", command: process.execPath, script: "grpc-js-xds.mjs" }),
    grpcClient({ name: "gRPC core", command: "/usr/bin/python3", script: "grpc-core.py" }),
  ],
};
