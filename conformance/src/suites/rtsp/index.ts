// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Suite } from "../../runner/suite.ts";
import { churn } from "./churn.ts";
import { departures } from "./departures.ts";
import { digest } from "./digest.ts";
import { controlPlaneGone, sourceGone } from "./failures.ts";
import { matrix } from "./matrix.ts";
import { record } from "./record.ts";
import { severalStreams } from "./several-streams.ts";
import { silence } from "./silence.ts";

const elements = [
  "rtspsrc",
  "rtspclientsink",
  "rtph264pay",
  "openh264dec",
  "mulawdec",
  "qtdemux",
  "matroskamux",
];

/** RTSP of other makers, and of our own camera and viewer, through the proxy. */
export const suite: Suite = {
  title: "RTSP cameras and players of ffmpeg, GStreamer and our own through the proxy",
  needs: [
    { name: "ffmpeg", find: ["ffmpeg", "-version"], packages: ["ffmpeg"] },
    {
      name: "GStreamer with its RTSP server",
      find: [
        "/usr/bin/python3",
        "-c",
        [
          "import gi",
          "gi.require_version('GstRtspServer', '1.0')",
          "from gi.repository import Gst, GstRtspServer",
          "Gst.init(None)",
          `assert all(map(Gst.ElementFactory.find, ${JSON.stringify(elements)}))`,
        ].join("; "),
      ],
      packages: [
        "gstreamer1.0-tools",
        "gstreamer1.0-plugins-base",
        "gstreamer1.0-plugins-good",
        "gstreamer1.0-plugins-bad",
        "gstreamer1.0-rtsp",
        "gir1.2-gst-rtsp-server-1.0",
        "python3-gi",
      ],
    },
  ],
  scenarios: [
    matrix,
    record,
    digest,
    severalStreams,
    departures,
    silence,
    controlPlaneGone,
    sourceGone,
    churn,
  ],
};
