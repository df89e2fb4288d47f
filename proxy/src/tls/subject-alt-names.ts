// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** A name of a certificate: `{ kind: "URI", value: "spiffe://…" }`. */
export interface CertificateName {
  readonly kind: string;
  readonly value: string;
}

// Node writes a name that could be mistaken for several as a JSON string: `DNS:"a, URI:b"` is one name.
const NAME = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;

/**
 * The subject alternative names of a certificate, of which `text` is Node's list; none where the text is not as
 * expected: who cannot be told is nobody. A name that Node quotes keeps its quotes, and is equal to none without.
 */
export function subjectAltNames(text: string): readonly CertificateName[] {
  const names: CertificateName[] = [];
  NAME.lastIndex = 0;
  while (NAME.lastIndex < text.length) {
    const match = NAME.exec(text);
    if (match === null) return [];
    names.push({ kind: match[1]!, value: match[2]! });
  }
  return names;
}
