// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  type TlsParameters as EnvoyParameters,
  TlsParameters_TlsProtocol,
  TlsParametersSchema,
} from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { tryContext } from "../../tls/secure-context.ts";
import type { TlsParameters, TlsVersion } from "../../tls/tls-plan.ts";
import { at, refuse, refuseOthers } from "../refuse.ts";

/** Envoy's defaults. */
export const defaultTlsParameters: TlsParameters = {
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
  cipherSuites: [],
  curves: [],
  signatureAlgorithms: [],
  alpnProtocols: [],
};

const MAX_ALPN_BYTES = 255;

/** Reads `tls_params` and `alpn_protocols`. Throws a `ConfigError`, also for what OpenSSL does not take. */
export function readTlsParameters(
  given: EnvoyParameters | undefined,
  alpnProtocols: readonly string[],
  commonPath: string,
): TlsParameters {
  for (const [index, protocol] of alpnProtocols.entries()) {
    const length = Buffer.byteLength(protocol);
    if (length > 0 && length <= MAX_ALPN_BYTES) continue;
    const problem = "must be the name of a protocol, of 1 to 255 bytes";
    refuse("MSM_TLS_PARAMETERS", `${at(commonPath, "alpn_protocols")}[${index}]`, problem);
  }
  if (given === undefined) return { ...defaultTlsParameters, alpnProtocols };
  const path = at(commonPath, "tls_params");
  refuseOthers(TlsParametersSchema, given, path, {
    ...{ tls_minimum_protocol_version: "accepted", tls_maximum_protocol_version: "accepted" },
    ...{ cipher_suites: "accepted", ecdh_curves: "accepted", signature_algorithms: "accepted" },
  });
  const { tlsMinimumProtocolVersion: min, tlsMaximumProtocolVersion: max } = given;
  const parameters = {
    minVersion: readVersion(min, "TLSv1.2", at(path, "tls_minimum_protocol_version")),
    maxVersion: readVersion(max, "TLSv1.3", at(path, "tls_maximum_protocol_version")),
    cipherSuites: given.cipherSuites,
    curves: given.ecdhCurves,
    signatureAlgorithms: given.signatureAlgorithms,
    alpnProtocols,
  };
  if (parameters.minVersion > parameters.maxVersion) {
    refuse("MSM_TLS_PARAMETERS", path, "has a minimum above its maximum; swap them");
  }
  checkLists(parameters, path);
  return parameters;
}

function readVersion(version: TlsParameters_TlsProtocol, automatic: TlsVersion, path: string): TlsVersion {
  switch (version) {
    case TlsParameters_TlsProtocol.TLS_AUTO:
      return automatic;
    case TlsParameters_TlsProtocol.TLSv1_2:
      return "TLSv1.2";
    case TlsParameters_TlsProtocol.TLSv1_3:
      return "TLSv1.3";
    default:
      return refuse(
        "MSM_CONFIG_UNSUPPORTED_VALUE",
        path,
        "must be TLSv1_2 or TLSv1_3; older ones are broken",
      );
  }
}

/** OpenSSL itself is asked, about each list alone, so that the field can be named. */
function checkLists(parameters: TlsParameters, path: string): void {
  const { cipherSuites, curves, signatureAlgorithms } = parameters;
  for (const [field, list, part] of [
    ["cipher_suites", cipherSuites, { cipherSuites }],
    ["ecdh_curves", curves, { curves }],
    ["signature_algorithms", signatureAlgorithms, { signatureAlgorithms }],
  ] as const) {
    // A name with more than letters, digits, dots and dashes would be an expression of BoringSSL's or OpenSSL's own.
    const odd = list.find((name) => !/^[A-Za-z0-9._-]+$/.test(name));
    const problem = "must be names that OpenSSL has, each by itself";
    if (odd !== undefined) refuse("MSM_TLS_PARAMETERS", at(path, field), `${problem}; "${odd}" is none`);
    try {
      tryContext({ parameters: { ...defaultTlsParameters, ...part }, identities: [] });
    } catch {
      refuse("MSM_TLS_PARAMETERS", at(path, field), problem);
    }
  }
}
