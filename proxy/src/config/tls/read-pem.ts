// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync, statSync } from "node:fs";
import { type DataSource, DataSourceSchema } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import type { ConfigCode } from "../codes.ts";
import { at, refuse, refuseOthers } from "../refuse.ts";

/** A text in PEM, and where it stands: the name of a file, or `<inline>`, as Envoy has it. */
export interface Pem {
  readonly text: string;
  readonly path: string;
}

/** Far more than every authority of the public web. */
const MAX_PEM_BYTES = 1024 * 1024;
const BEGIN = "-----BEGIN ";

/** Reads a source that must hold PEM; a file is read now. Throws a `ConfigError` with `code`, never with the content. */
export function readPem(source: DataSource | undefined, path: string, code: ConfigCode): Pem {
  if (source === undefined) return refuse("MSM_CONFIG_MISSING", path, "is needed");
  refuseOthers(DataSourceSchema, source, path, {
    filename: "accepted",
    inline_string: "accepted",
    inline_bytes: "accepted",
  });
  const pem = pemOf(source, path, code);
  if (pem.text.length > MAX_PEM_BYTES) refuse(code, path, `is longer than ${MAX_PEM_BYTES} bytes`);
  if (!pem.text.includes(BEGIN)) refuse(code, path, "is not PEM; it has no line that starts with -----BEGIN");
  return pem;
}

function pemOf({ specifier }: DataSource, path: string, code: ConfigCode): Pem {
  switch (specifier.case) {
    case "filename":
      return { text: readText(specifier.value, at(path, "filename"), code), path: specifier.value };
    case "inlineString":
      return { text: specifier.value, path: "<inline>" };
    case "inlineBytes":
      return { text: Buffer.from(specifier.value).toString("latin1"), path: "<inline>" };
    default:
      return refuse("MSM_CONFIG_MISSING", path, "must have a filename, inline_string or inline_bytes");
  }
}

function readText(file: string, path: string, code: ConfigCode): string {
  try {
    // Opening a pipe would wait for somebody to write to it.
    const { size } = statSync(file);
    const isPlain = statSync(file).isFile() && size <= MAX_PEM_BYTES;
    if (isPlain) return readFileSync(file, "latin1");
  } catch (error) {
    refuse(code, path, `cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  return refuse(code, path, `is no plain file of at most ${MAX_PEM_BYTES} bytes`);
}
