// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Fills in the type that a service has alone where the request names none; says what is wrong where it names another. */
export function onlyType(request: { typeUrl: string }, typeUrl: string): string | undefined {
  if (request.typeUrl === "") request.typeUrl = typeUrl;
  return request.typeUrl === typeUrl
    ? undefined
    : `type_url: this service has ${typeUrl} alone; ask AggregatedDiscoveryService for ${request.typeUrl}`;
}
