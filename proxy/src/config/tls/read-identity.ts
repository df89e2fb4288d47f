// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import {
  type TlsCertificate,
  TlsCertificateSchema,
} from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { tryContext } from "../../tls/secure-context.ts";
import type { TlsIdentity } from "../../tls/tls-plan.ts";
import { at, refuse, refuseOthers } from "../refuse.ts";
import { readPem } from "./read-pem.ts";
import { defaultTlsParameters } from "./read-tls-parameters.ts";

const CODE = "MSM_TLS_CERTIFICATE";

/** Reads a certificate with its key. Throws a `ConfigError`, which never holds anything of the key. */
export function readIdentity(certificate: TlsCertificate, path: string): TlsIdentity {
  refuseOthers(TlsCertificateSchema, certificate, path, {
    certificate_chain: "accepted",
    private_key: "accepted",
  });
  const [chainPath, keyPath] = [at(path, "certificate_chain"), at(path, "private_key")];
  const chain = readPem(certificate.certificateChain, chainPath, CODE);
  const key = readPem(certificate.privateKey, keyPath, CODE);
  const leaf = readCertificate(chain.text, chainPath);
  if (!leaf.checkPrivateKey(readKey(key.text, keyPath))) {
    refuse(CODE, keyPath, "is not the key of this certificate; give the two that belong together");
  }
  const identity = { certificate: chain.text, privateKey: key.text, path: chain.path };
  try {
    tryContext({ parameters: defaultTlsParameters, identities: [identity] });
  } catch {
    refuse(CODE, chainPath, "cannot be served: a certificate of its chain is damaged or too weak");
  }
  return identity;
}

/** What kind of key a certificate is for: OpenSSL holds one certificate of each. */
export function keyKindOf({ certificate }: TlsIdentity): string {
  return new X509Certificate(certificate).publicKey.asymmetricKeyType ?? "";
}

function readCertificate(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    return refuse(CODE, path, "does not begin with a certificate that can be read");
  }
}

// What OpenSSL says of a key that it cannot read is left out: it tells nobody anything.
function readKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    return refuse(CODE, path, "is no private key that can be read; one with a password cannot");
  }
}
