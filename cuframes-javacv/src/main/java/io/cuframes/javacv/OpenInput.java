// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.avformat.AVFormatContext.AVFMT_FLAG_NONBLOCK;
import static org.bytedeco.ffmpeg.global.avformat.avformat_alloc_context;
import static org.bytedeco.ffmpeg.global.avformat.avformat_close_input;
import static org.bytedeco.ffmpeg.global.avformat.avformat_free_context;
import static org.bytedeco.ffmpeg.global.avformat.avformat_open_input;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_free;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_set;

import io.cuframes.CuframesException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVInputFormat;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.javacpp.BytePointer;

/** An input that FFmpeg has open, and what FFmpeg reads it through. Not thread-safe. */
final class OpenInput implements AutoCloseable {
    /** What a session description may lead to: RTP and its transports, beside the file itself. */
    private static final String SDP_PROTOCOLS = "file,crypto,data,rtp,srtp,udp,udplite,tcp,tls,dtls";

    private final AVFormatContext context;

    private final InterruptGate gate;

    /** Null where FFmpeg reads by itself. */
    private final PipeInput pipe;

    /** Whether reads return {@link Ffmpeg#AGAIN} where they would wait, since the wait could not be ended. */
    private final boolean nonBlocking;

    /**
     * Opens an input.
     *
     * @throws CuframesException code INVALID_ARGUMENT for options that it does not have, NOT_FOUND, ACCESS_DENIED, TIMEOUT, UNSUPPORTED or SYSTEM
     */
    static OpenInput open(SourceOptions options, InterruptGate gate) {
        AVInputFormat format = InputFormats.of(options);
        boolean device = InputFormats.isDevice(format);
        if (!device) {
            UrlSchemes.requireReadable(options.url());
        }
        PipeInput pipe = options.url().kind() == InputKind.PIPE && options.url().path() != null && !device
                ? PipeInput.open(options, gate)
                : null;
        try {
            return new OpenInput(options, gate, format, pipe);
        } catch (RuntimeException | Error e) {
            if (pipe != null) {
                Steps.runAllAfter(e, pipe::close);
            }
            throw e;
        }
    }

    private OpenInput(SourceOptions options, InterruptGate gate, AVInputFormat format, PipeInput pipe) {
        this.pipe = pipe;
        this.gate = gate;
        this.nonBlocking = InputFormats.isVideo4Linux(format);
        this.context = Ffmpeg.allocated(avformat_alloc_context(), "a demuxer");
        gate.guard(context);
        AVDictionary settings = new AVDictionary(null);
        byte[] location = location(options.url(), InputFormats.isDevice(format));
        boolean handedOver = false;
        try (BytePointer name = new BytePointer(Arrays.copyOf(location, location.length + 1))) {
            configure(options, settings);
            options.input().addTo(settings); // last: the program knows better
            if (pipe != null) {
                context.pb(pipe.context());
            }
            if (nonBlocking) {
                context.flags(context.flags() | AVFMT_FLAG_NONBLOCK);
            }
            handedOver = true;
            int status = avformat_open_input(context, name, format, settings); // frees the context if it fails
            throwFailure();
            if (status < 0) {
                throw OpenError.of(options.url(), status, gate.expired(), Patience.answer(options), options.listen());
            }
            options.input().requireTaken(settings, context.iformat().name().getString());
        } catch (RuntimeException | Error e) {
            if (!handedOver) {
                avformat_free_context(context);
            } else if (!context.isNull()) {
                Steps.runAllAfter(e, () -> avformat_close_input(context));
            }
            throw e;
        } finally {
            av_dict_free(settings);
        }
    }

    /** Devices have names of their own, and FFmpeg opens their files by their plain names. */
    private static byte[] location(SourceUrl url, boolean device) {
        if (!device || url.path() == null) {
            return url.location();
        }
        return url.path().exists() ? url.path().bytes() : url.raw().getBytes(StandardCharsets.UTF_8);
    }

    private static void configure(SourceOptions options, AVDictionary settings) {
        SourceUrl url = options.url();
        boolean isDescription = url.path() != null && url.kind() == InputKind.LIVE;
        if ((url.isRtsp() && !options.listen())
                || isDescription) { // a sender that pushes has all of its tracks taken, or none
            av_dict_set(settings, "allowed_media_types", "video", 0);
        }
        if (url.isRtsp()) {
            av_dict_set(
                    settings, "rtsp_transport", options.rtspTransport().name().toLowerCase(Locale.ROOT), 0);
            if (options.listen()) {
                av_dict_set(settings, "rtsp_flags", "listen", 0);
            }
        } else if (options.listen()) {
            av_dict_set(settings, "listen", "1", 0);
        }
        if (url.isHttp()) {
            // Segments of HLS may be called anything. What comes over HTTP can lead to the network alone, whatever it
            // names: FFmpeg
            // allows its demuxers no other protocols then.
            av_dict_set(settings, "extension_picky", "0", 0);
        }
        if (isDescription) {
            av_dict_set(settings, "protocol_whitelist", SDP_PROTOCOLS, 0);
        }
        if (url.path() != null && url.path().exists()) {
            av_dict_set(settings, "pattern_type", "none", 0); // an image whose name has a %d or a * is that image
        }
    }

    AVFormatContext context() {
        return context;
    }

    /** Whether reads return {@link Ffmpeg#AGAIN} rather than wait. */
    boolean isNonBlocking() {
        return nonBlocking;
    }

    /** Throws what was thrown in FFmpeg's callbacks, by the program's question about demand for example: no error of the input. */
    void throwFailure() {
        gate.throwFailure();
        if (pipe != null) {
            pipe.throwFailure();
        }
    }

    /** Closing twice closes once. */
    @Override
    public void close() {
        Steps.runAll(() -> avformat_close_input(context), () -> {
            if (pipe != null) {
                pipe.close();
            }
        });
    }
}
