// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Message } from "@bufbuild/protobuf";
import { type Any, packAny, registry, unpackAny } from "@msm/xds-protos";

/**
 * The elements of a repeated field of one of the sections, e.g. `dynamic_listeners`, as `?resource=` of
 * `/config_dump` gives them. Undefined where no section has such a field.
 */
export function selectResource(sections: readonly Any[], fieldName: string): readonly Any[] | undefined {
  for (const section of sections) {
    const message = unpackAny(section);
    const schema = message && registry.getMessage(message.$typeName);
    const field = schema?.fields.find(({ name, fieldKind }) => name === fieldName && fieldKind === "list");
    if (message === undefined || field?.message === undefined) continue;
    const { message: elementSchema } = field;
    const elements = (message as unknown as Readonly<Record<string, readonly Message[]>>)[field.localName];
    return (elements ?? []).map((element) => packAny(elementSchema, element));
  }
  return undefined;
}
