#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Serves an H.264 or H.265 elementary stream over RTSP with GStreamer: rtsp_server.py FILE h264|h265. Prints the port once it listens."""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

CAPS = {"h264": "video/x-h264,framerate=25/1", "h265": "video/x-h265,framerate=25/1"}


def main(path, codec):
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")  # any free port
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f'( filesrc location="{path}" ! {codec}parse ! {CAPS[codec]},alignment=au ! identity sync=false '
        f"! rtp{codec}pay name=pay0 pt=96 config-interval=-1 )"
    )
    server.get_mount_points().add_factory("/cam", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main(sys.argv[1], sys.argv[2])
