// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import type { SignallingHarness } from "./signalling-harness.ts";
import type { TestPeer } from "./test-peer.ts";

/**
 * Plays a dialog that is written as text and compares what the filter says with it. `NAME>` begins what a peer sends and
 * `NAME<` what it receives; `source`, `source2` and so on are the streams that the filter opens, in their order, any other
 * name a client that connects when it first appears. Other lines are events: `source accepts`, `source refuses`, `NAME
 * closes`, `NAME is closed`, `5 s pass`. `{word}` stands for a text without blanks that is the same throughout.
 * Content-Length is added to what is sent and not looked at in what is received.
 */
export class Dialog {
  /** The texts that `{word}` stood for. */
  readonly words = new Map<string, string>();
  readonly #harness: SignallingHarness;
  readonly #clients = new Map<string, TestPeer>();

  constructor(harness: SignallingHarness) {
    this.#harness = harness;
  }

  /** The peer of a name in the dialog. */
  peer(name: string): TestPeer {
    const source = /^source(\d*)$/.exec(name);
    if (source !== null) {
      const stream = this.#harness.streams[Number(source[1] || 1) - 1];
      if (stream === undefined) throw new Error(`the filter has not connected to ${name}`);
      return stream;
    }
    const client = this.#clients.get(name) ?? this.#harness.connect();
    this.#clients.set(name, client);
    return client;
  }

  play(text: string): void {
    let speaker = "";
    let lines: string[] = [];
    const end = (): void => {
      if (speaker !== "") this.#speak(speaker.slice(0, -1), speaker.endsWith(">"), lines);
      speaker = "";
      lines = [];
    };
    for (const line of text.split("\n").map((one) => one.trimStart())) {
      if (/^\w+[<>]$/.test(line)) {
        end();
        speaker = line;
      } else if (isEvent(line)) {
        end();
        this.#happen(line);
      } else lines.push(line);
    }
    end();
  }

  #speak(name: string, isSent: boolean, lines: readonly string[]): void {
    const text = lines.join("\n").trim();
    if (isSent) this.peer(name).send(withLength(this.#filled(text)));
    else this.#compare(name, text);
  }

  #compare(name: string, expected: string): void {
    const received = this.peer(name)
      .take()
      .replaceAll("\r\n", "\n")
      .replaceAll(/^Content-Length: .*\n/gm, "")
      .trim();
    const open: string[] = [];
    const pattern = this.#filled(expected)
      .split(/(\{\w+\})/)
      .map((part) => {
        if (!/^\{\w+\}$/.test(part)) return part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
        open.push(part.slice(1, -1));
        return "([^\\s;]+)";
      });
    const match = new RegExp(`^${pattern.join("")}$`).exec(received);
    if (match === null) assert.equal(received, this.#filled(expected), `what ${name} receives`);
    for (const [i, word] of open.entries()) this.words.set(word, match?.[i + 1] ?? "");
  }

  #filled(text: string): string {
    return text.replaceAll(/\{(\w+)\}/g, (whole, word: string) => this.words.get(word) ?? whole);
  }

  #happen(event: string): void {
    const [name = "", ...what] = event.split(" ");
    const action = what.join(" ");
    if (action === "accepts") this.peer(name).accept();
    else if (action === "refuses") this.peer(name).refuse();
    else if (action === "closes") this.peer(name).close();
    else if (action === "is closed") assert.notEqual(this.peer(name).closed, null, `${name} is not closed`);
    else this.#harness.advance(Number(name) * 1_000);
  }
}

function isEvent(line: string): boolean {
  return /^(\w+ (accepts|refuses|closes|is closed)|[\d.]+ s pass)$/.test(line);
}

function withLength(text: string): string {
  const [head = "", ...rest] = text.split(/\n\n/);
  const body = rest.length === 0 ? "" : `${rest.join("\n\n")}\n`.replaceAll("\n", "\r\n");
  const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
  return `${head.replaceAll("\n", "\r\n")}\r\n${length}\r\n${body}`;
}
