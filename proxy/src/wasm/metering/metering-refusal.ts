// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Why a module cannot be bounded: it uses something that this host does not know or does not allow. */
export class MeteringRefusal extends Error {
  readonly code: "MSM_FILTER_OPCODE" | "MSM_FILTER_MEMORY";

  constructor(code: MeteringRefusal["code"], problem: string) {
    super(problem);
    this.name = "MeteringRefusal";
    this.code = code;
  }
}
