// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { RtspCamera, RtspViewer, until } from "@msm/deploy";
import { stringify } from "yaml";
import type { Scenario } from "../../runner/suite.ts";
import { type RtspMesh, rtspMeshYaml, startRtspMesh, type Upstream } from "./rtsp-mesh.ts";

const GATEWAYS: readonly Upstream[] = ["UDP", "Interleaved"];
/** Not the clock of any camera, so that `/streams` tells whose configuration is in force. */
const CLOCKS_HZ = [45_000, 30_000];
const PICTURES = 25;

/** Neither who measures media nor who speaks RTSP may cost those who watch anything when it is exchanged. */
export const filtersExchanged: Scenario = {
  title:
    "the filter of the media and that of RTSP exchanged while streams play: no packet and no picture lost",
  timeoutMs: 90_000,
  run: async (context) => {
    const camera = await RtspCamera.start({ streams: ["test"], random: () => 0 });
    context.defer(() => camera.stop());
    const backends = [{ name: "camera", ports: [camera.port] }];
    const rtsp = await startRtspMesh(context, backends);
    const viewers: RtspViewer[] = [];
    const join = async (): Promise<void> => {
      for (const upstream of GATEWAYS) {
        for (const transport of ["udp", "tcp"] as const) {
          const viewer = await RtspViewer.start({ url: rtsp.url(upstream, "camera", "test"), transport });
          context.defer(() => viewer.stop());
          viewers.push(viewer);
        }
      }
    };
    await join();
    const ports = GATEWAYS.map((upstream) => Number(new URL(rtsp.url(upstream, "", "")).port));
    const write = (...filters: readonly object[]): void =>
      rtsp.mesh.writeConfig(
        [rtspMeshYaml(ports, backends), ...filters.map((filter) => stringify(filter))].join("---\n"),
      );
    await more(viewers);
    for (const clockHz of CLOCKS_HZ) {
      write(rtpStats(clockHz));
      await until(`both streams were measured with ${clockHz} Hz`, () => isMeasuredWith(rtsp, clockHz));
      await more(viewers);
    }
    write(rtpStats(CLOCKS_HZ[1]!), wasmFilter("rtsp", { sessionTimeoutSeconds: 31 }));
    await until("both listeners had the new RTSP filter", () => areListenersNew(rtsp));
    // Those who come now are with the new filter, the others with the old one.
    await join();
    await more(viewers);
    const seen = viewers.flatMap(({ streams }) => [...streams]);
    assert.equal(seen.length, 2 * viewers.length, "streams of all readers, one SSRC for each track");
    assert.deepEqual([...new Set(seen.map(({ lost }) => lost))], [0], "packets lost");
    const videos = seen.filter(({ kind }) => kind === "video");
    assert.deepEqual([...new Set(videos.map(({ frameGaps }) => frameGaps))], [0], "pictures lost");
    context.note(
      `${videos.reduce((sum, { frames }) => sum + frames, 0)} pictures of ${viewers.length} readers, none lost`,
    );
  },
};

function wasmFilter(builtin: string, config: object): object {
  return {
    apiVersion: "mediastreamingmesh.io/v1alpha1",
    kind: "WasmFilter",
    metadata: { name: builtin },
    spec: {
      targetRefs: GATEWAYS.map((upstream) => ({ kind: "Gateway", name: upstream.toLowerCase() })),
      ...{ builtin, config },
    },
  };
}

function rtpStats(clockHz: number): object {
  return wasmFilter("rtp-stats", { clockRates: { 96: clockHz } });
}

async function isMeasuredWith({ mesh }: RtspMesh, clockHz: number): Promise<boolean> {
  const videos = (await mesh.admin.streams()).filter(({ payloadType }) => payloadType === 96);
  return videos.length === GATEWAYS.length && videos.every(({ clockRateHz }) => clockRateHz === clockHz);
}

/** A listener makes an instance of its filter when it begins and when the filter is another. */
async function areListenersNew({ mesh }: RtspMesh): Promise<boolean> {
  const metrics = await mesh.admin.text("/stats/prometheus");
  const counts = [...metrics.matchAll(/^msm_signalling_instances_total\{[^}]*\} (\d+)/gm)];
  return counts.length === GATEWAYS.length && counts.every(([, count]) => Number(count) === 2);
}

/** Waits until each has had so many more pictures. */
async function more(viewers: readonly RtspViewer[]): Promise<void> {
  const frames = viewers.map(pictures);
  await until(`each reader had ${PICTURES} more pictures`, () =>
    viewers.every((viewer, i) => pictures(viewer) >= frames[i]! + PICTURES),
  );
}

function pictures({ streams }: RtspViewer): number {
  return streams.filter(({ kind }) => kind === "video").reduce((sum, { frames }) => sum + frames, 0);
}
