// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Mesh } from "@msm/deploy";
import { meshYaml } from "../../mesh-yaml.ts";
import type { ScenarioContext } from "../../runner/suite.ts";
import { freePairs } from "./free-pairs.ts";

/** A mesh that carries a picture and a sound with their RTCP. All ports are RTP's; RTCP is one above. */
export interface MediaMesh {
  readonly mesh: Mesh;
  /** Where to send to. */
  readonly gateway: { readonly video: number; readonly audio: number };
  /** Where it arrives; nobody listens there yet. */
  readonly viewer: { readonly video: number; readonly audio: number };
}

/** Starts such a mesh on free ports of 127.0.0.1. */
export async function startMediaMesh(context: ScenarioContext): Promise<MediaMesh> {
  const [video, audio, viewerVideo, viewerAudio] = (await freePairs(4)) as [number, number, number, number];
  const listeners = [
    ["video", video, viewerVideo],
    ["video-rtcp", video + 1, viewerVideo + 1],
    ["audio", audio, viewerAudio],
    ["audio-rtcp", audio + 1, viewerAudio + 1],
  ] as const;
  const yaml = meshYaml({
    address: "127.0.0.1",
    clockRates: { "96": 90_000 },
    listeners: listeners.map(([name, port, viewerPort]) => ({
      name,
      port,
      isRtp: true,
      endpoints: [{ address: "127.0.0.1", port: viewerPort }],
    })),
  });
  const mesh = await context.startMesh({ config: { yaml }, ports: listeners.map(([, port]) => port) });
  return { mesh, gateway: { video, audio }, viewer: { video: viewerVideo, audio: viewerAudio } };
}
