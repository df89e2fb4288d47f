// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { RuleMaker } from "./rule-test.ts";

/** The rules of bytes fields (validate.proto BytesRules), but `pattern`: no Envoy message asks for it. */
export const bytesRules: Readonly<Record<string, RuleMaker>> = {
  const: (bound) => octets("must be the required bytes", (value) => value.equals(bound as Uint8Array)),
  len: (bound) => octets(`must have ${bound} bytes`, (value) => value.length === Number(bound)),
  min_len: (bound) => octets(`must have at least ${bound} bytes`, (value) => value.length >= Number(bound)),
  max_len: (bound) => octets(`must have at most ${bound} bytes`, (value) => value.length <= Number(bound)),
  prefix: (bound) => {
    const wanted = bound as Uint8Array;
    return octets("must begin with the required bytes", (value) =>
      value.subarray(0, wanted.length).equals(wanted),
    );
  },
  suffix: (bound) => {
    const wanted = bound as Uint8Array;
    const holds = (value: Buffer): boolean =>
      value.length >= wanted.length && value.subarray(value.length - wanted.length).equals(wanted);
    return octets("must end with the required bytes", holds);
  },
  contains: (bound) =>
    octets("must contain the required bytes", (value) => value.includes(Buffer.from(bound as Uint8Array))),
  in: (bound) => octets("must be one of the allowed values", (value) => isAmong(value, bound)),
  not_in: (bound) => octets("must not be one of the refused values", (value) => !isAmong(value, bound)),
  ip: (bound) => address(bound, "an IP address", [4, 16]),
  ipv4: (bound) => address(bound, "an IPv4 address", [4]),
  ipv6: (bound) => address(bound, "an IPv6 address", [16]),
};

function octets(problem: string, holds: (value: Buffer) => boolean): ReturnType<RuleMaker> {
  return {
    problem,
    holds: (value) => {
      const bytes = value as Uint8Array;
      return holds(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    },
  };
}

function isAmong(value: Buffer, bound: unknown): boolean {
  return (bound as readonly Uint8Array[]).some((candidate) => value.equals(candidate));
}

function address(bound: unknown, what: string, lengths: readonly number[]): ReturnType<RuleMaker> {
  if (bound !== true) return undefined;
  return octets(`must be ${what} in ${lengths.join(" or ")} bytes`, (value) =>
    lengths.includes(value.length),
  );
}
