// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Suite } from "../../runner/suite.ts";
import { demoSourceToFfmpeg } from "./demo-source-to-ffmpeg.ts";
import { ffmpegToFfmpeg } from "./ffmpeg-to-ffmpeg.ts";
import { rtpbinStatistics } from "./rtpbin-statistics.ts";

/** RTP and RTCP of other makers through the proxy. */
export const suite: Suite = {
  title: "RTP and RTCP of ffmpeg and GStreamer through the proxy",
  needs: [
    { name: "ffmpeg", find: ["ffmpeg", "-version"], packages: ["ffmpeg"] },
    {
      name: "GStreamer with its Python binding",
      find: [
        "/usr/bin/python3",
        "-c",
        [
          "import gi",
          "gi.require_version('GstNet', '1.0')",
          "from gi.repository import Gst, GstNet",
          "Gst.init(None)",
          "assert all(map(Gst.ElementFactory.find, ['rtpbin', 'rtppcmupay', 'udpsrc', 'mulawenc', 'audiotestsrc']))",
        ].join("; "),
      ],
      packages: [
        "gstreamer1.0-plugins-base",
        "gstreamer1.0-plugins-good",
        "python3-gi",
        "gir1.2-gstreamer-1.0",
        "gir1.2-gst-plugins-base-1.0",
      ],
    },
  ],
  scenarios: [ffmpegToFfmpeg, rtpbinStatistics, demoSourceToFfmpeg],
};
