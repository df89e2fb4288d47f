// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { freeUdpPorts, until } from "@msm/deploy";
import { Authority } from "../../certificates.ts";
import { meshYaml } from "../../mesh-yaml.ts";
import type { Scenario } from "../../runner/suite.ts";
import { startPlane } from "./control-plane.ts";
import { startEnvoy } from "./envoy.ts";

/** Mutual TLS with SPIFFE identities, as a mesh has it. */
export const envoyMutualTls: Scenario = {
  title:
    "13: Envoy over mutual TLS: served with a certificate of its namespace, refused with that of another",
  run: async (context) => {
    const authority = new Authority(context.folder);
    const files = authority.issue("server", "DNS:localhost,IP:127.0.0.1");
    const proxy = authority.issue("proxy", "URI:spiffe://mesh.example/ns/media/sa/envoy");
    const [port] = (await freeUdpPorts(1)) as [number];
    const listener = { name: "echo", port, endpoints: [{ address: "127.0.0.1", port: 9 }] };
    const xdsTls = {
      address: "127.0.0.1:0",
      files: { ...files, clientAuthorities: authority.certificate },
    };
    const yaml = meshYaml({ address: "127.0.0.1", listeners: [listener] });
    const { plane } = await startPlane(context, yaml, { xdsTls });
    const tls = { ca: authority.certificate, ...proxy };
    const common = { xds: plane.xdsTlsAddress!, variant: "delta", tls } as const;
    const namespaced = (namespace: string) => ({ metadata: { NAMESPACE: namespace } });
    const good = await startEnvoy(context, { ...common, name: "good", node: namespaced("media") });
    await good.listens(port);
    await good.stop();
    const bad = await startEnvoy(context, { ...common, name: "bad", node: namespaced("bank") });
    await until(
      "the other was refused",
      async () => (await bad.stat("cluster_manager.cds.update_failure")) > 0,
    );
    if ((await bad.admin("/listeners")).includes(`:${port}`)) throw new Error("it was served");
  },
};
