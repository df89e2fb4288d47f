// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { routeTo, SignallingHarness, type TestPeer } from "@msm/filter-sdk/testing";
import type { Exchange } from "./dialogs.ts";
import type { Dice } from "./dice.ts";
import { mutate } from "./mutate.ts";

/** Of clients and of cameras: as often they make no mistake at all. */
const MISTAKEN_PERCENT = 70;
const TURNS = 3;
/** Turns until an answer is missed. */
const PATIENCE = 50;
const MOST_STAYING = 50;
const STEP_MS = 250;
const REQUEST = /([A-Z_]+) \S+ RTSP\/1\.0\r\nCSeq: (\d+)/g;
/** What a client can do something with. */
const IS_WELL = /^RTSP\/1\.0 200 [\s\S]*(?:a=control:stream=0|Session:|Public:)/;
/** To requests that are in no dialog. */
const PLAIN_ANSWER = "RTSP/1.0 200 OK\r\nCSeq: 0\r\n\r\n";
/** Longer than every time-out and linger of the filter. */
const FORGOTTEN_MS = 120_000;
/** Where this leads nobody has to make mistakes: whether others are still served is seen there. */
const HEALTHY = "healthy.example.com";
const HEALTHY_SERVER = "198.51.100.2:554";

/** Plays dialogs with mistakes through one instance of the RTSP filter, as client and as camera. */
export class Fuzzer {
  readonly #proxy: SignallingHarness;
  readonly #dialogs: readonly (readonly Exchange[])[];
  readonly #dice: Dice;
  /** Requests of all dialogs with what was answered to them. */
  readonly #answers: readonly Exchange[];
  /** Connections to cameras, and whether each was accepted. */
  readonly #cameras = new Map<TestPeer, boolean>();
  /** Clients that stayed; the oldest first. */
  readonly #clients: TestPeer[] = [];
  /** Dialogs that came as far as a session. */
  sessions = 0;

  private constructor(proxy: SignallingHarness, dialogs: readonly (readonly Exchange[])[], dice: Dice) {
    this.#proxy = proxy;
    this.#dialogs = dialogs;
    this.#dice = dice;
    this.#answers = dialogs.flat();
    proxy.world.route = (request) =>
      routeTo(request, request.host === HEALTHY ? { endpoint: HEALTHY_SERVER } : {});
    proxy.onStream = (camera) => void this.#cameras.set(camera, false);
  }

  static async start(dialogs: readonly (readonly Exchange[])[], dice: Dice): Promise<Fuzzer> {
    return new Fuzzer(await SignallingHarness.load("rtsp"), dialogs, dice);
  }

  /** Plays one dialog to its end, or until the filter closes the connection. Throws where the filter fails. */
  play(): void {
    const dice = this.#dice;
    const isMistaken = dice.happens(MISTAKEN_PERCENT);
    const client = this.#proxy.connect();
    let session = "";
    for (const { request } of dice.oneOf(this.#dialogs)) {
      const text = session === "" ? request : request.replace(/^Session: .*$/m, `Session: ${session}`);
      this.#send(client, isMistaken ? mutate(text, dice) : text);
      this.#serve();
      session = /^Session: ([^;\r]+)/m.exec(client.take())?.[1] ?? session;
      if (client.closed !== null) break;
    }
    if (session !== "") this.sessions++;
    if (dice.happens(50)) this.#clients.push(client);
    else client.close();
    if (this.#clients.length > MOST_STAYING) this.#clients.shift()!.close();
    if (dice.happens(5)) this.#isServed();
    // Now and then time-outs pass, or not quite.
    if (dice.happens(5)) this.#pass(dice.below(FORGOTTEN_MS));
  }

  /** Everybody leaves. Throws where the filter keeps anything of them. */
  end(): void {
    this.#isServed();
    for (const client of this.#clients.splice(0)) client.close();
    this.#pass(FORGOTTEN_MS);
    assert.equal(this.#proxy.peerCount, 0, "connections that are left");
    assert.equal(this.#proxy.world.flows.size, 0, "flows that are left");
  }

  /** A client without mistakes gets the description of a camera without mistakes. */
  #isServed(): void {
    const client = this.#proxy.connect();
    client.send(`DESCRIBE rtsp://${HEALTHY}/stream RTSP/1.0\r\nCSeq: 1\r\n\r\n`);
    let answer = "";
    for (let left = PATIENCE; left > 0 && answer === ""; left--) {
      this.#serve();
      answer = client.take();
    }
    client.close();
    assert.match(answer, /^RTSP\/1\.0 200 /, "a client without mistakes is not served");
  }

  #send(client: TestPeer, text: string): void {
    for (let rest = text; rest !== "" && !client.isGone && client.closed === null; ) {
      const length = this.#dice.happens(70) ? rest.length : 1 + this.#dice.below(rest.length);
      client.send(rest.slice(0, length));
      rest = rest.slice(length);
    }
  }

  #pass(ms: number): void {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.#proxy.advance(STEP_MS, STEP_MS);
      this.#serve();
    }
  }

  #serve(): void {
    for (let left = TURNS; left > 0; left--) {
      for (const camera of [...this.#cameras.keys()]) this.#serveCamera(camera);
      this.#proxy.advance(1, 1);
    }
  }

  #serveCamera(camera: TestPeer): void {
    const isHealthy = camera.address === HEALTHY_SERVER;
    if (!this.#cameras.get(camera)) {
      this.#cameras.set(camera, true);
      if (isHealthy || this.#dice.happens(90)) camera.accept();
      else camera.refuse();
    }
    for (const [, method, sequence] of camera.take().matchAll(REQUEST)) {
      if (camera.isGone || camera.closed !== null) break;
      const fitting = this.#answers.filter((one) => one.method === method);
      const known = isHealthy ? fitting.filter(({ answer }) => IS_WELL.test(answer)) : fitting;
      const answer = known.length > 0 ? this.#dice.oneOf(known).answer : PLAIN_ANSWER;
      const own = answer.replace(/^CSeq: .*$/m, `CSeq: ${sequence}`);
      if (isHealthy) camera.send(own);
      else this.#send(camera, this.#dice.happens(MISTAKEN_PERCENT) ? mutate(own, this.#dice) : own);
    }
    if (camera.isGone || camera.closed !== null) this.#cameras.delete(camera);
    else if (!isHealthy && this.#dice.happens(1)) camera.close();
  }
}
