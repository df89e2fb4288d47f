// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Need } from "./runner/suite.ts";

/** Makes certificates. */
export const opensslNeed: Need = { name: "openssl", find: ["openssl", "version"], packages: ["openssl"] };

/** PEM files of a certificate and its key. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly privateKey: string;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** An authority in a folder, good for two days. */
export class Authority {
  readonly certificate: string;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.certificate = join(folder, "ca.crt");
    const out = ["-keyout", join(folder, "ca.key"), "-out", this.certificate];
    openssl("req", "-x509", ...KEY, "-days", "2", "-subj", "/CN=conformance", ...out);
  }

  /** A certificate with these alternative names, as openssl writes them: `DNS:localhost,URI:spiffe://…`. */
  issue(name: string, altNames: string): CertificateFiles {
    const file = (extension: string): string => join(this.#folder, `${name}.${extension}`);
    openssl("req", ...KEY, "-keyout", file("key"), "-out", file("csr"), "-subj", `/CN=${name}`);
    writeFileSync(file("ext"), `subjectAltName=${altNames}\n`);
    const signer = ["-CA", this.certificate, "-CAkey", join(this.#folder, "ca.key"), "-CAcreateserial"];
    const out = ["-days", "2", "-extfile", file("ext"), "-out", file("crt")];
    openssl("x509", "-req", "-in", file("csr"), ...signer, ...out);
    return { certificate: file("crt"), privateKey: file("key") };
  }
}

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"], timeout: 10_000 });
}
