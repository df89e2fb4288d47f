// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import type { FieldPath } from "../refusal.ts";
import { coded, port, unsupported } from "./field-schemas.ts";
import { dnsName, meshDomain } from "./metadata.ts";
import type { Refuse } from "./problem.ts";

/** A Secret or ConfigMap that a Gateway names, and where it does. */
export interface ObjectReference {
  readonly kind: "Secret" | "ConfigMap";
  readonly namespace: string;
  readonly name: string;
  readonly path: FieldPath;
}

/** TLS of a listener. */
export interface ListenerTls {
  readonly certificate: ObjectReference;
  readonly minVersion: "1.2" | "1.3";
  /** Whose certificates clients must show; nobody has to show one where it is undefined. */
  readonly clientAuthorities: ObjectReference | undefined;
  /** Names of clients: `URI:spiffe://…`, also with `/*` at its end, or `DNS:…`; any where there are none. */
  readonly clientNames: readonly string[];
}

const MIN_VERSION = `${meshDomain}/min-tls-version`;
const CLIENT_NAMES = `${meshDomain}/client-names`;

/** A reference to an object of one kind of the core group. */
function reference<Kind extends ObjectReference["kind"]>(kind: Kind) {
  const wrong = coded("MSM_SECRET_KIND", `must be a ${kind} of the core group`);
  return z.strictObject({
    group: z.custom<"">((value) => value === "", wrong).default(""),
    kind: z.custom<Kind>((value) => value === kind, wrong).default(kind as never),
    name: dnsName,
    namespace: dnsName.optional(),
  });
}

/** `tls` of a listener (Gateway API, ListenerTLSConfig). */
export const listenerTls = z.strictObject({
  mode: z
    .custom<"Terminate">(
      (value) => value === "Terminate",
      coded("MSM_FIELD_UNSUPPORTED", "must be Terminate: what is not decrypted cannot be routed"),
    )
    .default("Terminate"),
  certificateRefs: z
    .array(reference("Secret"))
    .min(1)
    .max(1, { error: "must be one; put all names into one certificate" }),
  options: z.record(z.string(), z.string()).default({}),
  frontendValidation: unsupported("the Gateway API has it at spec.tls.frontend now; move it there"),
});

const validation = z.strictObject({
  validation: z
    .strictObject({
      caCertificateRefs: z
        .array(reference("ConfigMap"))
        .min(1)
        .max(1, { error: "must be one; a ConfigMap may hold several certificates" }),
      mode: z.enum(["AllowValidOnly", "AllowInsecureFallback"]).default("AllowValidOnly"),
    })
    .optional(),
});

/** `tls` of a Gateway (Gateway API, GatewayTLSConfig). */
export const gatewayTls = z.strictObject({
  frontend: z
    .strictObject({
      default: validation,
      perPort: z
        .array(z.strictObject({ port, tls: validation }))
        .max(64)
        .default([]),
    })
    .optional(),
  backend: unsupported("connections to backends are not in TLS yet; remove it"),
});

/** What TLS of a listener is read from. */
export interface TlsInput {
  readonly listener: z.output<typeof listenerTls>;
  readonly gateway: z.output<typeof gatewayTls> | undefined;
  readonly port: number;
  readonly namespace: string;
  /** Of the listener. */
  readonly path: FieldPath;
}

/** Reads TLS of a listener. */
export function readListenerTls(input: TlsInput, refuse: Refuse): ListenerTls {
  const { listener, namespace, path } = input;
  const optionsPath = [...path, "tls", "options"];
  for (const name of Object.keys(listener.options)) {
    if (name === MIN_VERSION || name === CLIENT_NAMES) continue;
    const message = `unknown option. Known are ${MIN_VERSION} and ${CLIENT_NAMES}.`;
    refuse("MSM_FIELD_UNKNOWN", [...optionsPath, name], message);
  }
  const clientAuthorities = readAuthorities(input, refuse);
  return {
    certificate: {
      kind: "Secret",
      namespace: listener.certificateRefs[0]!.namespace ?? namespace,
      name: listener.certificateRefs[0]!.name,
      path: [...path, "tls", "certificateRefs", 0],
    },
    minVersion: readMinVersion(listener.options[MIN_VERSION], [...optionsPath, MIN_VERSION], refuse),
    clientNames: readNames(
      listener.options[CLIENT_NAMES],
      clientAuthorities !== undefined,
      [...optionsPath, CLIENT_NAMES],
      refuse,
    ),
    clientAuthorities,
  };
}

/** What stands for a port counts before what stands for all. */
function readAuthorities(
  { gateway, port, namespace }: TlsInput,
  refuse: Refuse,
): ObjectReference | undefined {
  const frontend = gateway?.frontend;
  const index = frontend?.perPort.findIndex((item) => item.port === port) ?? -1;
  const own = index < 0 ? frontend?.default.validation : frontend?.perPort[index]?.tls.validation;
  if (own === undefined) return undefined;
  const at = index < 0 ? ["default"] : ["perPort", index, "tls"];
  const path = ["spec", "tls", "frontend", ...at, "validation"];
  const [ref] = own.caCertificateRefs;
  if (own.mode === "AllowInsecureFallback") {
    const message = "would let in clients whose certificate is wrong; leave it out, or write AllowValidOnly";
    refuse("MSM_FIELD_UNSUPPORTED", [...path, "mode"], message);
  }
  return {
    kind: "ConfigMap",
    namespace: ref!.namespace ?? namespace,
    name: ref!.name,
    path: [...path, "caCertificateRefs", 0],
  };
}

function readMinVersion(text: string | undefined, path: FieldPath, refuse: Refuse): "1.2" | "1.3" {
  if (text === undefined || text === "1.2") return "1.2";
  if (text !== "1.3") refuse("MSM_FIELD_VALUE", path, 'must be "1.2" or "1.3"');
  return "1.3";
}

function readNames(
  text: string | undefined,
  hasClients: boolean,
  path: FieldPath,
  refuse: Refuse,
): readonly string[] {
  if (text === undefined) return [];
  if (!hasClients) {
    const message = "is for clients with certificates; set spec.tls.frontend, or remove it";
    refuse("MSM_GATEWAY_TLS", path, message);
  }
  const names = text.split(",").map((name) => name.trim());
  for (const name of names) {
    if (/^(URI:\S+|DNS:[A-Za-z0-9.-]+)$/.test(name)) continue;
    refuse(
      "MSM_FIELD_VALUE",
      path,
      "must be names such as URI:spiffe://mesh/player or URI:spiffe://mesh/*, with commas between",
    );
    break;
  }
  return names;
}
