#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Serves a file over RTSP with GStreamer: rtsp_server.py FILE h264|h265. Prints the port once it listens.

An elementary stream is sent without timestamps, as fast as it is read. An MP4 file is sent at its own pace, as a camera would, with an RTCP sender
report every 0.2 s.
"""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

REPORT_INTERVAL_NS = 200_000_000
CAPS = {"h264": "video/x-h264,framerate=25/1", "h265": "video/x-h265,framerate=25/1"}


def frames(path, codec):
    if path.endswith(".mp4"):
        return f'filesrc location="{path}" ! qtdemux ! {codec}parse'
    return f'filesrc location="{path}" ! {codec}parse ! {CAPS[codec]},alignment=au ! identity sync=false'


def report_often(media):
    for index in range(media.n_streams()):
        media.get_stream(index).get_rtpsession().set_property("rtcp-min-interval", REPORT_INTERVAL_NS)


def main(path, codec):
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")  # any free port
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {frames(path, codec)} ! rtp{codec}pay name=pay0 pt=96 config-interval=-1 )")
    factory.connect("media-configure", lambda _, media: media.connect("prepared", report_often))
    server.get_mount_points().add_factory("/cam", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main(sys.argv[1], sys.argv[2])
