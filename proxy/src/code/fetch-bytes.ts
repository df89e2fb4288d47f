// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Gets what is at a URI within a time limit for all of it. Throws an Error that says why not: an answer other than 200,
 * no answer, or more than `maxBytes`, of which no more is read.
 */
export async function fetchBytes(uri: string, timeoutMs: number, maxBytes: number): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(uri, { signal });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`${uri} answered ${response.status}`);
    }
    return await readBody(response, maxBytes, uri);
  } catch (error) {
    if (signal.aborted) throw new Error(`${uri} did not answer within ${timeoutMs} ms`);
    throw new Error(reasonOf(error, uri));
  }
}

async function readBody(response: Response, maxBytes: number, uri: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > maxBytes) throw new Error(`${uri} is larger than ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** `fetch` says that it failed, and in its cause why. */
function reasonOf(error: unknown, uri: string): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${uri}: ${error.cause.message}` : error.message;
}
