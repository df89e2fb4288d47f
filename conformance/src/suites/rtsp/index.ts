// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { opensslNeed } from "../../certificates.ts";
import type { Suite } from "../../runner/suite.ts";
import { churn } from "./churn.ts";
import { departures } from "./departures.ts";
import { digest } from "./digest.ts";
import { controlPlaneGone, sourceGone } from "./failures.ts";
import { filtersExchanged } from "./filters-exchanged.ts";
import { linkCut } from "./link-cut.ts";
import { matrix } from "./matrix.ts";
import { record } from "./record.ts";
import { rtsps } from "./rtsps.ts";
import { severalStreams } from "./several-streams.ts";
import { silence } from "./silence.ts";
import { workerGone } from "./worker-gone.ts";

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
    opensslNeed,
    {
      name: "GStreamer with its RTSP server",
      find: [
        "/usr/bin/python3",
        "-c",
        [
          "import gi",
          "gi.require_version('GstRtspServer', '1.0')",
          "from gi.repository import Gio, Gst, GstRtspServer",
          "Gst.init(None)",
          "assert Gio.TlsBackend.get_default().supports_tls()",
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
        "glib-networking",
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
    rtsps,
    linkCut,
    workerGone,
    controlPlaneGone,
    sourceGone,
    filtersExchanged,
    churn,
  ],
};
