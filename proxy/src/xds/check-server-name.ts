// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Node writes a name that could be mistaken for several as a JSON string: `DNS:"a, URI:b"` is one name.
const NAME = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;

/**
 * Checks that a certificate has one of the names that are expected, each as `URI:…` or `DNS:…`; returns what is wrong.
 * `subjectAltName` is as Node shows it of a certificate.
 */
export function checkServerName(expected: readonly string[], subjectAltName: string): Error | undefined {
  if (namesOf(subjectAltName).some((name) => expected.includes(name))) return undefined;
  const wanted = expected.join(" or ");
  return new Error(`the control plane's certificate is for "${subjectAltName}", not for ${wanted}`);
}

/** The names, none where the text is not as expected: who cannot be told is nobody. */
function namesOf(text: string): readonly string[] {
  const names: string[] = [];
  NAME.lastIndex = 0;
  while (NAME.lastIndex < text.length) {
    const match = NAME.exec(text);
    if (match === null) return [];
    names.push(`${match[1]}:${match[2]}`);
  }
  return names;
}
