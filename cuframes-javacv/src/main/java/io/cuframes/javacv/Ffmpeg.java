// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avformat.avformat_network_init;
import static org.bytedeco.ffmpeg.global.avutil.AV_LOG_FATAL;
import static org.bytedeco.ffmpeg.global.avutil.av_log_set_level;
import static org.bytedeco.ffmpeg.global.avutil.av_strerror;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.NativeAccess;
import java.nio.charset.StandardCharsets;

/** FFmpeg as a whole: that its natives are there, how much it says, and its errors in words. */
final class Ffmpeg {
    /** AVERROR(EAGAIN): feed the decoder first. */
    static final int AGAIN = -11;

    /** AVERROR(ENOMEM). */
    static final int NO_MEMORY = -12;

    private static final String LOG_LEVEL_PROPERTY = "cuframes.ffmpeg.loglevel";

    private Ffmpeg() {}

    /** Set up once, by the class's initialization. */
    private static final class Loaded {
        static final int NETWORK;

        static {
            // Its texts are mostly the camera's noise; what matters comes back as an error code.
            FfmpegLog.install();
            av_log_set_level(Integer.getInteger(LOG_LEVEL_PROPERTY, AV_LOG_FATAL));
            NETWORK = avformat_network_init();
        }
    }

    /**
     * Loads the natives.
     *
     * @throws CuframesException code UNSUPPORTED if they are not on the class path or cannot be loaded
     */
    static void load() {
        try {
            NativeAccess.require();
            if (Loaded.NETWORK < 0) {
                throw new CuframesException(ErrorCode.SYSTEM, "FFmpeg cannot use the network: " + text(Loaded.NETWORK));
            }
        } catch (IllegalCallerException e) { // of the bindings; FFmpeg's would be denied, too
            throw new CuframesException(ErrorCode.UNSUPPORTED, e.getMessage(), e);
        } catch (LinkageError e) {
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED,
                    "FFmpeg's natives cannot be loaded (" + e
                            + "): add org.bytedeco:ffmpeg and org.bytedeco:javacpp with the classifier of this machine, linux-x86_64 or"
                            + " linux-arm64, to the class path, and see that javacpp can unpack them (org.bytedeco.javacpp.cachedir)",
                    e);
        }
    }

    /** An error in FFmpeg's words. */
    static String text(int error) {
        byte[] buffer = new byte[128];
        av_strerror(error, buffer, buffer.length);
        int length = 0;
        while (length < buffer.length && buffer[length] != 0) {
            length++;
        }
        return new String(buffer, 0, length, StandardCharsets.UTF_8);
    }

    /** Turns a null pointer from an allocation into an exception. */
    static <T> T allocated(T pointer, String what) {
        if (pointer == null) {
            throw new CuframesException(ErrorCode.SYSTEM, "no memory for " + what);
        }
        return pointer;
    }
}
