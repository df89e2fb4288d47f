// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type ChannelCredentials, type ClientOptions, credentials } from "@grpc/grpc-js";
import { type AdsServer, readPem } from "../config/ads-server.ts";
import { checkServerName } from "./check-server-name.ts";

/** How gRPC reaches a server. */
export interface ServerCredentials {
  readonly credentials: ChannelCredentials;
  readonly options: ClientOptions;
}

/** Makes a server's credentials; files are read now. Throws where one cannot be read or is not what it should be. */
export function serverCredentials({ tls }: AdsServer): ServerCredentials {
  if (tls === undefined) return { credentials: credentials.createInsecure(), options: {} };
  const { authorities, identity, serverName, serverNames } = tls;
  const pem = [
    authorities === undefined ? null : readPem(authorities),
    identity === undefined ? null : readPem(identity.privateKey),
    identity === undefined ? null : readPem(identity.certificate),
  ] as const;
  const options = serverName === undefined ? {} : { "grpc.ssl_target_name_override": serverName };
  if (serverNames === undefined) return { credentials: credentials.createSsl(...pem), options };
  const checkServerIdentity = (
    _host: string,
    { subjectaltname = "" }: { readonly subjectaltname?: string },
  ) => checkServerName(serverNames, subjectaltname);
  return { credentials: credentials.createSsl(...pem, { checkServerIdentity }), options };
}
