// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Configuration that cannot be used: a stable code, the field, and in words what is wrong and what to do. */
export class ConfigError extends Error {
  readonly code: string;
  readonly field: string;

  constructor(code: string, field: string, problem: string) {
    super(`${code}: ${field}: ${problem}`);
    this.name = "ConfigError";
    this.code = code;
    this.field = field;
  }
}
