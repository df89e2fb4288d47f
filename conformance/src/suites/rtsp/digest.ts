// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Scenario } from "../../runner/suite.ts";
import { PLAYERS, type PlayOptions, play } from "./players.ts";
import { startRtspMesh } from "./rtsp-mesh.ts";
import { makeFile, startGstreamerServer } from "./sources.ts";

const SECONDS = 3;
const USER = "viewer";
const PASSWORD = "right";

/** RFC 2617: what a server asks of a player and what that answers pass through. */
export const digest: Scenario = {
  title: "Digest without, with wrong and with right credentials ends as without the proxy",
  timeoutMs: 90_000,
  run: async (context) => {
    const streams = PLAYERS.flatMap((player) => [`${player}-direct`, `${player}-mesh`]);
    const file = await makeFile(context, { seconds: 12, framesPerSecond: 25 });
    const options = { name: "server", file, streams, digest: `${USER}:${PASSWORD}` };
    const server = await startGstreamerServer(context, options);
    const rtsp = await startRtspMesh(context, [{ name: "cameras", ports: [server.port] }]);
    const cases: readonly (readonly [name: string, credentials: PlayOptions["credentials"]])[] = [
      ["none", undefined],
      ["wrong", { user: USER, password: "wrong" }],
      ["right", { user: USER, password: PASSWORD }],
    ];
    const plays = PLAYERS.flatMap((player) =>
      cases.map(async ([name, credentials]) => {
        const urls = [
          `rtsp://127.0.0.1:${server.port}/${player}-direct`,
          rtsp.url("UDP", "cameras", `${player}-mesh`),
        ];
        const [direct, proxied] = await Promise.all(
          urls.map((url, index) =>
            play(context, {
              player,
              name: `${player}-${name}-${index === 0 ? "direct" : "mesh"}`,
              url,
              transport: "tcp",
              seconds: SECONDS,
              ...(credentials === undefined ? {} : { credentials }),
            }),
          ),
        );
        const { soundBytes: _direct, ...expected } = direct!;
        const { soundBytes: _proxied, ...actual } = proxied!;
        assert.deepEqual(actual, expected, `${player} with ${name} credentials`);
        return `${player} ${name}: ${actual.refusals.join() || `${actual.pictures} pictures`}`;
      }),
    );
    context.note((await Promise.all(plays)).join("; "));
  },
};
