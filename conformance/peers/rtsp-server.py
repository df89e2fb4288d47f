#!/usr/bin/python3
# SPDX-FileCopyrightText: The Media Streaming Mesh authors
# SPDX-License-Identifier: Apache-2.0
"""GStreamer's RTSP server, which knows nothing of the mesh.

rtsp-server.py --file PICTURE_AND_SOUND.mov [--streams a,b] [--digest USER:PASSWORD] [--record FILE.mkv]
    Serves the file (H.264 and PCMU) under each path, every reader from its beginning, and with --record takes what is
    sent to /record into a file. Listens at a free port of 127.0.0.1.

Prints a line of JSON for each event: {"port": N} first, then {"request": METHOD, "path": PATH},
{"reports": PATH} for each receiver report, and {"closed": true} for each connection that ended. Stops at SIGINT.
"""
import argparse
import json
import signal
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

ROLE = "user"


said = threading.Lock()


def tell(**event):
    """A line at once: requests and reports come in threads of their own."""
    with said:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


def play_factory(arguments, path):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f"( filesrc location={arguments.file} ! qtdemux name=d"
        " d.video_0 ! queue ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96"
        " d.audio_0 ! queue ! rtppcmupay name=pay1 pt=0 )"
    )
    factory.set_shared(False)
    factory.connect("media-configure", lambda _factory, media: watch_reports(media, path))
    return factory


def watch_reports(media, path):
    """Sessions exist when the media are prepared."""

    def on_prepared(_media):
        for index in range(media.n_streams()):
            session = media.get_stream(index).get_rtpsession()
            if session is not None:
                session.connect("on-ssrc-active", lambda *_: tell(reports=path))

    media.connect("prepared", on_prepared)


def record_factory(arguments):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
    factory.set_launch(
        f"( rtph264depay name=depay0 ! h264parse ! matroskamux name=mux streamable=true"
        f" ! filesink location={arguments.record} async=false buffer-mode=unbuffered )"
    )
    factory.set_latency(200)
    return factory


def protect(server, factories, user, password):
    """Digest (RFC 2617) for every path."""
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, ROLE)
    auth.add_digest(user, password, token)
    server.set_auth(auth)
    for factory in factories:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_role(ROLE)
        permissions.add_permission_for_role(ROLE, GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
        permissions.add_permission_for_role(ROLE, GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True)
        factory.set_permissions(permissions)


def watch_requests(client):
    for method in ("options", "describe", "announce", "setup", "play", "pause", "record", "teardown"):

        def on_request(_client, context, method=method):
            path = context.uri.abspath if context.uri is not None else ""
            tell(request=method.upper(), path=path)

        client.connect(f"{method}-request", on_request)
    client.connect("closed", lambda _client: tell(closed=True))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", required=True)
    parser.add_argument("--streams", default="test")
    parser.add_argument("--digest")
    parser.add_argument("--record")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    mounts = server.get_mount_points()
    factories = {path: play_factory(arguments, path) for path in arguments.streams.split(",")}
    if arguments.record:
        factories["record"] = record_factory(arguments)
    for path, factory in factories.items():
        mounts.add_factory(f"/{path}", factory)
    if arguments.digest:
        protect(server, factories.values(), *arguments.digest.split(":", 1))
    server.connect("client-connected", lambda _server, client: watch_requests(client))
    loop = GLib.MainLoop()
    server.attach(None)
    GLib.timeout_add_seconds(2, lambda: server.get_session_pool().cleanup() >= 0)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, loop.quit)
    tell(port=server.get_bound_port())
    loop.run()


main()
