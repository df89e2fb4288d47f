// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { type BuildInput, defineKind } from "./define-kind.ts";
import { ignored } from "./field-schemas.ts";
import { readCertificates, readPrivateKey, type Validity, validityOf } from "./pem.ts";
import type { Refuse } from "./problem.ts";

/** A certificate with its chain and its key, as PEM. */
export interface TlsCertificate extends Validity {
  readonly chain: string;
  readonly privateKey: string;
}

const TLS_TYPE = "kubernetes.io/tls";
const [CERTIFICATE, KEY] = ["tls.crt", "tls.key"] as const;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

const shape = {
  type: z.string().default("Opaque"),
  data: z.record(z.string(), z.string()).default({}),
  stringData: z.record(z.string(), z.string()).default({}),
  immutable: ignored,
};

type Document = z.output<z.ZodObject<typeof shape>>;

/**
 * A Secret of Kubernetes. One of type `kubernetes.io/tls` holds a certificate for listeners; of others, which are for
 * other programs, nothing is read.
 */
export const secret = defineKind({
  kind: "Secret",
  apiVersions: ["v1"],
  shape,
  build: ({ id, document, refuse }: BuildInput<Document>) => ({
    id,
    type: document.type,
    certificate: document.type === TLS_TYPE ? readCertificate(document, refuse) : undefined,
  }),
});

function readCertificate(document: Document, refuse: Refuse): TlsCertificate | undefined {
  const chain = readEntry(document, CERTIFICATE, refuse);
  const privateKey = readEntry(document, KEY, refuse);
  if (chain === undefined || privateKey === undefined) return undefined;
  const certificates = readCertificates(chain.text);
  const key = readPrivateKey(privateKey.text);
  if (certificates === undefined) {
    refuse("MSM_SECRET_CERTIFICATE", chain.path, "must be certificates in PEM, and nothing else");
  }
  if (key === undefined) {
    refuse("MSM_SECRET_KEY", privateKey.path, "must be a private key in PEM, without a password");
  }
  if (certificates === undefined || key === undefined) return undefined;
  if (!certificates[0]!.checkPrivateKey(key)) {
    const message = "is not the key of the first certificate in tls.crt; give the two that belong together";
    refuse("MSM_SECRET_KEY", privateKey.path, message);
    return undefined;
  }
  return { chain: chain.text, privateKey: privateKey.text, ...validityOf(certificates) };
}

/** An entry of a Secret and where it stands; what is in `stringData` counts before what is in `data`. */
function readEntry({ data, stringData }: Document, name: string, refuse: Refuse) {
  const text = stringData[name];
  if (text !== undefined) return { text, path: ["stringData", name] };
  const encoded = data[name]?.replace(/\s/g, "");
  const path = ["data", name];
  if (encoded === undefined) {
    refuse("MSM_FIELD_MISSING", path, "is required in a Secret of type kubernetes.io/tls");
    return undefined;
  }
  if (!BASE64.test(encoded) || encoded.length % 4 !== 0) {
    refuse("MSM_FIELD_VALUE", path, "must be in base64; plain text goes into stringData");
    return undefined;
  }
  return { text: Buffer.from(encoded, "base64").toString("latin1"), path };
}
