// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avformat.av_find_input_format;
import static org.bytedeco.ffmpeg.global.avformat.avio_enum_protocols;
import static org.bytedeco.ffmpeg.global.avformat.avio_find_protocol_name;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.util.HashSet;
import java.util.Set;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/** The schemes that this build of FFmpeg reads. */
final class UrlSchemes {
    /** Those of demuxers rather than of protocols; each is the demuxer's name, or has another's. */
    private static final Set<String> OF_DEMUXERS = Set.of("rtsp", "rtsps", "satip", "sap");

    private UrlSchemes() {}

    /** Held until they are asked for, since FFmpeg has to be loaded. */
    private static final class Known {
        static final Set<String> PROTOCOLS = protocols();

        private static Set<String> protocols() {
            Set<String> names = new HashSet<>();
            try (PointerPointer<Pointer> state = new PointerPointer<>(1)) {
                state.put(0, (Pointer) null);
                for (BytePointer name = avio_enum_protocols(state, 0);
                        name != null && !name.isNull();
                        name = avio_enum_protocols(state, 0)) {
                    names.add(name.getString());
                }
            }
            return Set.copyOf(names);
        }
    }

    /**
     * Refuses what this build of FFmpeg cannot read from, and what it could not be stopped in.
     *
     * @throws CuframesException code UNSUPPORTED
     */
    static void requireReadable(SourceUrl url) {
        String scheme = url.scheme();
        if (scheme.isEmpty()) {
            return;
        }
        if (!isKnown(scheme)) {
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED,
                    "cannot open " + url
                            + ": there is no file of that name, and FFmpeg reads no URLs that begin with \""
                            + (url.toString().startsWith("*") ? "***" : scheme)
                            + ":\"; a URL begins with its scheme, such as rtsp:// or http://");
        }
        if (url.hasPipeInside()) {
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED,
                    "cannot open " + url + ": reading a FIFO or a device through \"" + scheme
                            + ":\" could not be stopped; give its name alone");
        }
    }

    private static boolean isKnown(String scheme) {
        if (OF_DEMUXERS.contains(scheme)) {
            return av_find_input_format(scheme.equals("sap") ? scheme : "rtsp") != null;
        }
        return Known.PROTOCOLS.contains(scheme)
                || (scheme.indexOf('+') > 0 && avio_find_protocol_name(scheme + "://") != null);
    }
}
