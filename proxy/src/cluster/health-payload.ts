// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
/** What a check sends, and what the answer must hold: blocks in this order, with anything between them. */
export interface Expectation {
  readonly send: Uint8Array;
  readonly receive: readonly Uint8Array[];
}

/** Whether `bytes` hold the blocks in their order (Envoy, `TcpHealthCheck.receive`). */
export function holdsBlocks(bytes: Uint8Array, blocks: readonly Uint8Array[]): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let from = 0;
  for (const block of blocks) {
    const found = buffer.indexOf(block, from);
    if (found < 0) return false;
    from = found + block.length;
  }
  return true;
}

/** Reads `{ send, receive }` as Envoy's TcpHealthCheck has them in JSON: payloads as hexadecimal `text`, or `binary`. */
export function readExpectation(json: Readonly<Record<string, unknown>>): Expectation {
  const { send, receive = [], ...others } = json;
  refuseOptions(others);
  if (!Array.isArray(receive)) throw new TypeError("receive must be a list of payloads");
  return {
    send: send === undefined ? new Uint8Array() : readPayload(send, "send"),
    receive: receive.map((payload: unknown, index) => readPayload(payload, `receive[${index}]`)),
  };
}

/** Throws an Error that names the first option, of which there should be none left. */
export function refuseOptions(others: Readonly<Record<string, unknown>>): void {
  const [name] = Object.keys(others);
  if (name !== undefined) throw new TypeError(`${name} is not an option of this checker; remove it`);
}

function readPayload(payload: unknown, field: string): Uint8Array {
  const { text, binary } = (payload ?? {}) as { readonly text?: unknown; readonly binary?: unknown };
  if (typeof text === "string" && text.length > 0 && /^([0-9a-f]{2})+$/i.test(text)) {
    return new Uint8Array(Buffer.from(text, "hex"));
  }
  if (typeof binary === "string" && binary.length > 0) return new Uint8Array(Buffer.from(binary, "base64"));
  throw new TypeError(`${field} must have text of hexadecimal digits, or binary in base64`);
}
