// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { CertificatesSchema } from "@msm/xds-protos/envoy/admin/v3/certs_pb.js";
import { certificatesOf } from "../certificates.ts";
import { protoJson } from "../proto-json.ts";
import type { AdminRoute } from "../route.ts";

/** The certificates in force, without their keys. */
export const route: AdminRoute = {
  path: "/certs",
  method: "GET",
  summary: "Certificates in force as JSON, with the days until they expire.",
  handle: ({ context }) =>
    protoJson(CertificatesSchema, certificatesOf(context.store.built.plan, Date.now())),
};
