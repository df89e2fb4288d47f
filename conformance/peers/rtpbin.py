#!/usr/bin/python3
# SPDX-FileCopyrightText: The Media Streaming Mesh authors
# SPDX-License-Identifier: Apache-2.0
"""GStreamer's rtpbin as an RTP sender or receiver that tells its statistics as JSON.

rtpbin.py send --to-rtp PORT --to-rtcp PORT --from-port PORT --packets N
    Sends N packets of PCMU, 20 ms each, from PORT (RTCP from PORT + 1); one JSON line when told to stop.
rtpbin.py receive --port PORT
    Receives at PORT (RTCP at PORT + 1) and reports to wherever sender reports come from, as a receiver behind a
    proxy has to; one JSON line when told to stop.

Both print {"ready": true} when they run, and stop at SIGINT.
"""
import argparse
import json
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstNet", "1.0")
from gi.repository import GLib, Gst, GstNet  # noqa: E402

HOST = "127.0.0.1"
# RFC 3550 asks for 5 s between reports; a test has no such time.
REPORT_INTERVAL_NS = 1_000_000_000
SAMPLE_MS = 100
KEYS = [
    "ssrc", "is-sender", "packets-sent", "packets-received", "packets-lost", "jitter", "have-rb",
    "rb-packetslost", "rb-jitter", "rb-round-trip",
]


def source_stats(session):
    """The session's sources: each SSRC with the numbers that the test compares."""
    # The array lives as long as the structure that it is taken from.
    stats = session.get_property("stats")
    sources = stats.get_value("source-stats")
    return [{key: source.get_value(key) for key in KEYS if source.has_field(key)} for source in sources]


class Statistics:
    """The newest numbers of each SSRC; a source that said goodbye is remembered."""

    def __init__(self, rtpbin):
        self.session = rtpbin.emit("get-internal-session", 0)
        self.session.set_property("rtcp-min-interval", REPORT_INTERVAL_NS)
        # RFC 3550 A.1 would pass over the packets before two came in order.
        self.session.set_property("probation", 0)
        self.by_ssrc = {}
        GLib.timeout_add(SAMPLE_MS, self.sample)

    def sample(self):
        for source in source_stats(self.session):
            self.by_ssrc[source["ssrc"]] = source
        return True

    def to_json(self, **more):
        self.sample()
        return json.dumps({"sources": list(self.by_ssrc.values()), **more})


def build_sender(arguments):
    pipeline = Gst.parse_launch(
        f"rtpbin name=bin audiotestsrc is-live=true samplesperbuffer=160 wave=sine freq=440"
        f" ! audio/x-raw,rate=8000,channels=1 ! mulawenc"
        f" ! rtppcmupay name=pay min-ptime=20000000 max-ptime=20000000 ! bin.send_rtp_sink_0"
        f" bin.send_rtp_src_0 ! udpsink host={HOST} port={arguments.to_rtp} bind-port={arguments.from_port} async=false"
        f" bin.send_rtcp_src_0 ! udpsink name=rtcp_out host={HOST} port={arguments.to_rtcp} sync=false async=false"
        f" udpsrc name=rtcp_in address={HOST} port={arguments.from_port + 1} ! bin.recv_rtcp_sink_0"
    )
    count = {"sent": 0}

    def limit(_pad, _info):
        """Lets so many packets through and no end of stream, which would mean a goodbye."""
        if count["sent"] >= arguments.packets:
            return Gst.PadProbeReturn.DROP
        count["sent"] += 1
        return Gst.PadProbeReturn.OK

    pipeline.get_by_name("pay").get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, limit)
    return pipeline, lambda statistics: statistics.to_json(sent=count["sent"])


def build_receiver(arguments):
    caps = "application/x-rtp,media=audio,clock-rate=8000,encoding-name=PCMU,payload=0"
    pipeline = Gst.parse_launch(
        f"rtpbin name=bin latency=500"
        f' udpsrc address={HOST} port={arguments.port} buffer-size=2000000 caps="{caps}" ! bin.recv_rtp_sink_0'
        f" udpsrc name=rtcp_in address={HOST} port={arguments.port + 1} ! bin.recv_rtcp_sink_0"
        f" bin.send_rtcp_src_0 ! udpsink name=rtcp_out host={HOST} port=9 sync=false async=false"
    )
    jitterbuffers = []
    handed_on = {"packets": 0}

    def on_pad(_bin, pad):
        sink = Gst.ElementFactory.make("fakesink")
        sink.set_property("sync", False)
        sink.set_property("signal-handoffs", True)
        sink.connect("handoff", lambda *_: handed_on.update(packets=handed_on["packets"] + 1))
        pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def reply_to_sender(_pad, info):
        """RTCP goes back to the address from which it came: the proxy's port of this session."""
        meta = GstNet.buffer_get_net_address_meta(info.get_buffer())
        if meta:
            pipeline.get_by_name("rtcp_out").set_property("port", meta.addr.get_port())
        return Gst.PadProbeReturn.OK

    rtpbin = pipeline.get_by_name("bin")
    rtpbin.connect("pad-added", on_pad)
    rtpbin.connect("new-jitterbuffer", lambda _bin, buffer, *_: jitterbuffers.append(buffer))
    pad = pipeline.get_by_name("rtcp_in").get_static_pad("src")
    pad.add_probe(Gst.PadProbeType.BUFFER, reply_to_sender)

    def finish(statistics):
        lost = 0
        for buffer in jitterbuffers:
            # What comes after its time was counted as lost before: on a busy machine that happens.
            stats = buffer.get_property("stats")
            lost += stats.get_value("num-lost") - stats.get_value("num-late")
        return statistics.to_json(jitterbufferLost=lost, handedOn=handed_on["packets"])

    return pipeline, finish


def share_socket(pipeline):
    """Reports leave from the port at which they are received."""
    pipeline.set_state(Gst.State.READY)
    pipeline.get_state(Gst.SECOND)
    socket = pipeline.get_by_name("rtcp_in").get_property("used-socket")
    out = pipeline.get_by_name("rtcp_out")
    out.set_state(Gst.State.NULL)
    out.set_property("socket", socket)
    out.set_property("close-socket", False)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    roles = parser.add_subparsers(dest="role", required=True)
    sender = roles.add_parser("send")
    for option in ("--to-rtp", "--to-rtcp", "--from-port", "--packets"):
        sender.add_argument(option, type=int, required=True)
    receiver = roles.add_parser("receive")
    receiver.add_argument("--port", type=int, required=True)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    Gst.init(None)
    # PyGObject makes a class when it is first named. Two probes that do so at once, each in its own thread, get two.
    assert Gst.PadProbeInfo and Gst.Buffer
    build = build_sender if arguments.role == "send" else build_receiver
    pipeline, finish = build(arguments)
    share_socket(pipeline)
    statistics = Statistics(pipeline.get_by_name("bin"))
    loop = GLib.MainLoop()
    failures = []

    def on_message(_bus, message):
        if message.type == Gst.MessageType.ERROR:
            failures.append(str(message.parse_error()))
            loop.quit()

    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, loop.quit)
    pipeline.set_state(Gst.State.PLAYING)
    print(json.dumps({"ready": True}), flush=True)
    loop.run()
    print(finish(statistics), flush=True)
    pipeline.set_state(Gst.State.NULL)
    if failures:
        sys.exit(failures[0])


main()
