// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AVERROR_DEMUXER_NOT_FOUND;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EXIT;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_HTTP_FORBIDDEN;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_HTTP_NOT_FOUND;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_HTTP_UNAUTHORIZED;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_INVALIDDATA;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_PROTOCOL_NOT_FOUND;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.time.Duration;

/**
 * Why an input could not be opened, or does not go on: FFmpeg's error as an exception that says what to do.
 *
 * <p>Here, and nowhere else, it is decided which errors of an input pass by themselves ({@link CuframesException#isPassing()}): whoever tries again asks
 * that. A camera that boots, a server that is too busy, a stream without a key frame so far may do better later. A refused password does not, and a
 * camera that is asked with it again and again locks the account; nor does a URL that is malformed, or a codec that this build cannot decode.
 */
final class OpenError {
    private static final int ENOENT = -2;
    private static final int EACCES = -13;
    private static final int EINVAL = -22;
    private static final int ECONNREFUSED = -111;

    private static final String GIVE_OPTION = "--input-option or VideoSource.Builder.inputOption";
    private static final String GIVE_FORMAT = "--input-format or VideoSource.Builder.inputFormat";

    private OpenError() {}

    /**
     * For a call of FFmpeg that failed.
     *
     * @param error its status
     * @param expired whether it failed because its time was over
     * @param timeout that time
     * @param listen whether it waited for a sender
     */
    static CuframesException of(SourceUrl url, int error, boolean expired, Duration timeout, boolean listen) {
        String what = "cannot open " + url + ": ";
        if (expired) {
            return new CuframesException(
                    ErrorCode.TIMEOUT,
                    what + (listen ? "no sender came" : "no answer") + " within " + timeout.toMillis() + " ms ("
                            + Ffmpeg.text(error)
                            + "): check the address and the network, or raise openTimeout (--open-timeout)");
        }
        ErrorCode code = code(error);
        return new CuframesException(
                code, what + Ffmpeg.text(error) + ": " + advice(url, error), null, isPassing(url, error, code));
    }

    private static boolean isPassing(SourceUrl url, int error, ErrorCode code) {
        return switch (code) {
            case NOT_FOUND, SYSTEM -> true;
            case UNSUPPORTED -> error == AVERROR_INVALIDDATA && url.isNetwork(); // an empty answer, half a page
            default -> false;
        };
    }

    /** An input that has other streams than video, or none at all so far. */
    static CuframesException noVideo(SourceOptions options, int streams) {
        return new CuframesException(
                ErrorCode.UNSUPPORTED,
                options.url() + " has no video among its " + streams
                        + " streams: give a URL or file with a video stream",
                null,
                options.url().isNetwork());
    }

    /**
     * A video stream whose pictures' size is not known.
     *
     * @param codec FFmpeg's name of it
     * @param expired whether the time for the first picture was over, rather than the stream
     * @param timeout that time
     */
    static CuframesException noKeyFrame(SourceOptions options, String codec, boolean expired, Duration timeout) {
        return new CuframesException(
                expired ? ErrorCode.TIMEOUT : ErrorCode.UNSUPPORTED,
                "the " + codec + " stream of " + options.url() + " gave no picture "
                        + (expired ? "within " + timeout.toMillis() + " ms" : "before it ended")
                        + ": nothing came, or no key frame with parameter sets; have the sender send key frames more often, or"
                        + " raise openTimeout (--open-timeout)",
                null,
                expired || options.url().isNetwork());
    }

    /**
     * An input that is lost and is not to be connected to again, or cannot be.
     *
     * @param reason in words
     */
    static CuframesException lost(SourceOptions options, String reason) {
        return new CuframesException(
                options.url().isNetwork() ? ErrorCode.DISCONNECTED : ErrorCode.SYSTEM,
                "reading " + options.url() + " failed: " + reason);
    }

    /** An input that came to its end without a frame. */
    static CuframesException undecodable(SourceOptions options, String codec, long errors) {
        return new CuframesException(
                ErrorCode.UNSUPPORTED,
                "not one frame of " + options.url() + " could be decoded (" + errors + " errors): it is damaged, or no "
                        + codec + " stream that this build of FFmpeg can decode");
    }

    private static ErrorCode code(int error) {
        if (error == ENOENT || error == AVERROR_HTTP_NOT_FOUND) {
            return ErrorCode.NOT_FOUND;
        }
        if (error == EACCES || error == AVERROR_HTTP_UNAUTHORIZED || error == AVERROR_HTTP_FORBIDDEN) {
            return ErrorCode.ACCESS_DENIED;
        }
        if (error == EINVAL) {
            return ErrorCode.INVALID_ARGUMENT;
        }
        if (error == AVERROR_INVALIDDATA || error == AVERROR_DEMUXER_NOT_FOUND || error == AVERROR_PROTOCOL_NOT_FOUND) {
            return ErrorCode.UNSUPPORTED;
        }
        return ErrorCode.SYSTEM;
    }

    /** What may help where FFmpeg finds no media in what it reads. */
    private static String option(SourceUrl url) {
        if (url.kind() == InputKind.SEGMENTED && !url.isNetwork()) {
            return "; a playlist in a file leads to files with the usual endings of media alone, unless the input options"
                    + " allowed_extensions=ALL and extension_picky=0 are given, and to URLs with"
                    + " protocol_whitelist=file,crypto,data,http,https,tcp,tls (" + GIVE_OPTION + ")";
        }
        if (url.kind() == InputKind.SEGMENTED) {
            return "; a playlist that came over the network cannot lead to files";
        }
        return "; of raw video, give the format and the size: " + GIVE_FORMAT + ", and the input option video_size ("
                + GIVE_OPTION + ")";
    }

    private static String advice(SourceUrl url, int error) {
        if (error == EINVAL) {
            return "check the address, and the values of input options if there are any (" + GIVE_OPTION + ")";
        }
        if (error == ECONNREFUSED) {
            return "nothing listens there; check host and port, and that the camera is up";
        }
        if (error == AVERROR_INVALIDDATA) {
            return "this is no media that FFmpeg knows, or it is damaged" + option(url);
        }
        if (error == AVERROR_PROTOCOL_NOT_FOUND) {
            return "this build of FFmpeg does not know a scheme in it, or the input option protocol_whitelist does not allow it ("
                    + GIVE_OPTION + ")";
        }
        return switch (code(error)) {
            case NOT_FOUND -> url.isNetwork() ? "check the path of the URL" : "check the path of the file";
            case ACCESS_DENIED ->
                url.isNetwork() ? "check user and password of the URL" : "check the file's permissions";
            default ->
                error == AVERROR_EXIT
                        ? "it was interrupted"
                        : url.isNetwork() ? "check the URL and the network" : "check the file";
        };
    }
}
