// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { askRtpengine } from "./ng-client.ts";

let engine: Socket;
let port: number;
const asked: string[] = [];

beforeEach(async () => {
  asked.length = 0;
  engine = createSocket("udp4").bind(0, "127.0.0.1");
  await once(engine, "listening");
  port = engine.address().port;
});

afterEach(() => void engine.close());

function answerWith(text: string): void {
  engine.on("message", (data, from) => {
    const [cookie, ...rest] = data.toString().split(" ");
    asked.push(rest.join(" "));
    engine.send(`${cookie} ${text}`, from.port, from.address);
  });
}

test("a command is a dictionary with sorted keys, and an answer's fields are read", async () => {
  answerWith("d6:result2:ok3:sdp4:v=0 e");
  const fields = await askRtpengine(port, { sdp: "v=0", command: "offer", replace: ["origin"] });
  expect(asked).toEqual(["d7:command5:offer7:replacel6:origine3:sdp3:v=0e"]);
  expect(Object.fromEntries(fields)).toEqual({ result: "ok", sdp: "v=0 " });
});

test("a refusal is thrown with its reason", async () => {
  answerWith("d12:error-reason12:Unknown call6:result5:errore");
  await expect(askRtpengine(port, { command: "answer" })).rejects.toThrow("Unknown call");
});
