// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** By the errno that an error names, whoever made the call: node:net, node:dgram or an I/O backend. */
const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: "stop the other program that has the port, or use another port",
  EADDRNOTAVAIL: "this host does not have the address; use one of its own, or 0.0.0.0 or :: for all of them",
  EACCES: "ports below 1024 need CAP_NET_BIND_SERVICE; grant it, or use another port",
  ENODEV: "this host has no such network interface; use the name of one of its own",
  ENOTSUP: "use the I/O backend mmsg, or leave the field out",
  EAFNOSUPPORT: "this host does not have IPv6; use an IPv4 address",
};

/** What to do about an address that could not be bound, by the error that told so. */
export function bindAdvice(error: Error): string {
  const errno = /\bE[A-Z]{3,}\b/.exec(error.message)?.[0] ?? "";
  return ADVICE[errno] ?? "use another address or port";
}
