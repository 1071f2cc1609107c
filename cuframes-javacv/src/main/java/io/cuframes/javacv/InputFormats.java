// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avdevice.avdevice_register_all;
import static org.bytedeco.ffmpeg.global.avformat.AVFMT_NOFILE;
import static org.bytedeco.ffmpeg.global.avformat.av_find_input_format;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.util.Set;
import org.bytedeco.ffmpeg.avformat.AVInputFormat;
import org.bytedeco.javacpp.Loader;

/**
 * FFmpeg's demuxers by their names. Those of cameras and screens are in libavdevice, which needs libraries of X11 that servers lack: it is loaded once
 * one of them is asked for.
 */
final class InputFormats {
    /** The demuxer of cameras at /dev/video*. */
    static final String VIDEO4LINUX = "v4l2";

    /** Of libavdevice under Linux, for what to say where it is not there. */
    private static final Set<String> DEVICES = Set.of(
            "alsa",
            "decklink",
            "fbdev",
            "iec61883",
            "jack",
            "kmsgrab",
            "lavfi",
            "libcdio",
            "libdc1394",
            "openal",
            "oss",
            "pulse",
            "sndio",
            "v4l2",
            "video4linux2",
            "x11grab");

    /** Takes the names of files, which it opens itself. */
    private static final String IMAGES = "image2";

    private InputFormats() {}

    /**
     * Finds the demuxer for an input.
     *
     * @return null where FFmpeg is to find it by what it reads
     * @throws CuframesException code INVALID_ARGUMENT if no demuxer has the name, UNSUPPORTED if libavdevice is needed and cannot be loaded
     */
    static AVInputFormat of(SourceOptions options) {
        String name = options.input().format();
        if (name != null) {
            return find(name);
        }
        return options.url().isVideoDevice() ? find(VIDEO4LINUX) : null;
    }

    private static AVInputFormat find(String name) {
        AVInputFormat format = av_find_input_format(name);
        if (format != null) {
            return format;
        }
        LinkageError missing = loadDevices();
        if (missing != null && DEVICES.contains(name)) {
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED,
                    "the input format " + name + " is in FFmpeg's libavdevice, which cannot be loaded here (" + missing
                            + "): install what it needs, on Debian libxcb1, libxcb-shm0, libxcb-shape0, libxcb-xfixes0"
                            + " and libasound2",
                    missing);
        }
        format = missing == null ? av_find_input_format(name) : null;
        if (format == null) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "unknown input format \"" + Credentials.hideInText(name)
                            + "\": FFmpeg has no demuxer of that name; `ffmpeg -demuxers` lists those that there are");
        }
        return format;
    }

    /** Null once it is loaded. */
    private static LinkageError loadDevices() {
        try {
            Loader.load(org.bytedeco.ffmpeg.global.avdevice.class);
            avdevice_register_all();
            return null;
        } catch (LinkageError e) {
            return e;
        }
    }

    /** Whether a demuxer opens what it reads itself, by a name that is its own rather than a URL or a file. */
    static boolean isDevice(AVInputFormat format) {
        return format != null
                && (format.flags() & AVFMT_NOFILE) != 0
                && !format.name().getString().equals(IMAGES);
    }

    /** Whether it is the demuxer of /dev/video*. */
    static boolean isVideo4Linux(AVInputFormat format) {
        return format != null && format.name().getString().contains(VIDEO4LINUX);
    }
}
