#!/usr/bin/python3
# SPDX-FileCopyrightText: The Media Streaming Mesh authors
# SPDX-License-Identifier: Apache-2.0
"""GStreamer's rtspsrc as a player that counts.

rtsp-player.py URL --transport udp|tcp --seconds N [--user NAME --password WORD] [--ca FILE]
    Decodes picture and sound until N seconds of both came. One line of JSON: how many pictures and bytes of sound
    were decoded, and how many packets its jitter buffers missed. Exit code 1 with the reason on standard error.
"""
import argparse
import json
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gio, GLib, Gst  # noqa: E402

DECODERS = {
    "H264": "rtph264depay ! h264parse ! openh264dec",
    "PCMU": "rtppcmudepay ! mulawdec",
}
# A start on a busy machine, and the end of what is on its way.
GRACE_SECONDS = 20


class Player:
    def __init__(self, arguments):
        self.limit = arguments.seconds * Gst.SECOND
        self.counts = {"video": 0, "audio": 0}
        self.first = {}
        self.finished = set()
        self.jitterbuffers = []
        self.failure = None
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.Pipeline()
        source = Gst.ElementFactory.make("rtspsrc")
        source.set_property("location", arguments.url)
        Gst.util_set_object_arg(source, "protocols", arguments.transport)
        source.set_property("udp-buffer-size", 4_000_000)
        source.set_property("latency", 500)
        # Times of pictures are those of their RTP timestamps, so that the first N seconds are the same in every run.
        Gst.util_set_object_arg(source, "buffer-mode", "none")
        if arguments.user:
            source.set_property("user-id", arguments.user)
            source.set_property("user-pw", arguments.password)
        if arguments.ca:
            # Every check that there is stays on, that of the name among them.
            source.set_property("tls-database", Gio.TlsFileDatabase.new(arguments.ca))
        source.connect("pad-added", self.on_pad)
        source.connect("new-manager", self.on_manager)
        self.pipeline.add(source)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message)

    def on_manager(self, _source, manager):
        manager.connect("new-jitterbuffer", lambda _bin, buffer, *_: self.jitterbuffers.append(buffer))

    def on_pad(self, _source, pad):
        caps = pad.get_current_caps().get_structure(0)
        kind = caps.get_string("media")
        decoder = DECODERS.get(caps.get_string("encoding-name"), "identity")
        decoding = Gst.parse_bin_from_description(f"{decoder} ! fakesink name=sink sync=false", True)
        decoding.get_by_name("sink").get_static_pad("sink").add_probe(
            Gst.PadProbeType.BUFFER, lambda _pad, info: self.count(kind, info.get_buffer())
        )
        self.pipeline.add(decoding)
        decoding.sync_state_with_parent()
        pad.link(decoding.get_static_pad("sink"))

    def count(self, kind, buffer):
        """Counts what lies in the first N seconds of its own stream."""
        first = self.first.setdefault(kind, buffer.pts)
        if buffer.pts - first < self.limit:
            self.counts[kind] += 1 if kind == "video" else buffer.get_size()
        else:
            self.finished.add(kind)
            # On a busy machine one is ahead of the other.
            if len(self.finished) == len(self.first):
                GLib.idle_add(self.loop.quit)
        return Gst.PadProbeReturn.OK

    def on_message(self, _bus, message):
        if message.type == Gst.MessageType.ERROR:
            error, _details = message.parse_error()
            self.failure = error.message
            self.loop.quit()
        elif message.type == Gst.MessageType.EOS:
            self.loop.quit()

    def run(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, self.loop.quit)
        GLib.timeout_add_seconds(int(self.limit / Gst.SECOND) + GRACE_SECONDS, self.loop.quit)
        self.loop.run()
        lost = 0
        for buffer in self.jitterbuffers:
            # What comes after its time was counted as lost before: on a busy machine that happens.
            stats = buffer.get_property("stats")
            lost += stats.get_value("num-lost") - stats.get_value("num-late")
        print(json.dumps({**self.counts, "lost": lost}), flush=True)
        self.pipeline.set_state(Gst.State.NULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--transport", choices=["udp", "tcp"], default="udp")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--ca", help="file of authorities, for rtsps")
    Gst.init(None)
    # PyGObject makes a class when it is first named. Two probes that do so at once, each in its own thread, get two.
    assert Gst.PadProbeInfo and Gst.Buffer
    player = Player(parser.parse_args())
    player.run()
    if player.failure:
        sys.exit(player.failure)


main()
