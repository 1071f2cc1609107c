// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_BGR24;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY16LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY8;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NONE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NV12;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGBA;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P;
import static org.bytedeco.ffmpeg.global.avutil.av_get_bits_per_pixel;
import static org.bytedeco.ffmpeg.global.avutil.av_get_padded_bits_per_pixel;
import static org.bytedeco.ffmpeg.global.avutil.av_pix_fmt_desc_get;
import static org.bytedeco.ffmpeg.global.swscale.SWS_BILINEAR;

import io.cuframes.ColorInfo;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.PlaneLayout;
import io.cuframes.PublishPolicy;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.Buffer;
import java.time.Duration;
import java.util.Set;
import org.bytedeco.javacv.Frame;
import org.bytedeco.javacv.FrameRecorder;
import org.jspecify.annotations.Nullable;

/**
 * Publishes the pictures of a JavaCV program as a cuframes stream: a program that has a {@link FrameRecorder} writes to a ring by changing the line
 * that makes it.
 *
 * <pre>{@code
 * try (FrameRecorder recorder = new CuframesFrameRecorder("cuframes://cam1?slots=8", 1280, 720)) {
 *     recorder.start();
 *     for (Frame frame = grabber.grab(); frame != null; frame = grabber.grab()) {
 *         recorder.record(frame);
 *     }
 * } // the stream ends, in order
 * }</pre>
 *
 * <p>The URL is {@code cuframes://KEY}, and these words may follow after a question mark, joined by {@code &}; {@link #setOption} says the same, and
 * has precedence. An unknown word in the URL is an error of {@link #start()}; an unknown option, since programs have options for FFmpeg, is logged and
 * has no effect; so has what is set of codecs and bit rates.
 *
 * <table>
 * <caption>What can be said</caption>
 * <tr><th>word</th><th>value</th><th>unless said</th></tr>
 * <tr><td>slots</td><td>frames of the ring</td><td>6</td></tr>
 * <tr><td>policy</td><td>{@code drop_oldest}, {@code drop_newest}, {@code strict_wait}: what a full ring means</td><td>drop_oldest</td></tr>
 * <tr><td>wait</td><td>how long {@code strict_wait} waits for readers: 500ms, 5s, 2m</td><td>as {@link Publisher.Builder#waitTimeout}</td></tr>
 * <tr><td>transport</td><td>{@code auto}, {@code host}, {@code cuda_vmm}, {@code cuda_ipc}</td><td>auto</td></tr>
 * <tr><td>device</td><td>the CUDA device of the ring</td><td>0</td></tr>
 * <tr><td>socketDir</td><td>where the socket is to be</td><td>the usual places</td></tr>
 * </table>
 *
 * <p><b>Format.</b> The ring is NV12, or what {@link #setPixelFormat} says: FFmpeg's number of one of {@link PixelFormat}. Its size is that of the
 * recorder; NV12 wants it even. A YUV ring announces limited-range BT.709, and what is
 * converted from RGB is made so; {@link #setColor} says otherwise.
 *
 * <p><b>Copies.</b> A picture is converted and scaled on the CPU, by FFmpeg's libswscale, straight into the slot; for a ring on a GPU into host memory, and then uploaded. Where nothing
 * follows the picture in its buffer, it is copied first, since libswscale reads past the end. A
 * frame of 8 bits with 3 values a pixel is taken as BGR24, with 4 as RGBA, with 1 as grey, as JavaCV's recorder does; {@link #record(Frame, int)} says otherwise. A frame
 * without an image, or with the read-only planes of {@link CuframesFrameGrabber} in {@code RAW}, whose {@link Frame#opaque} is an open {@link io.cuframes.Frame}, is taken from that:
 * from a ring on the GPU to another of the same format, colours and device by copies on the GPU. Such a copy keeps the mark of a damaged frame.
 *
 * <p><b>Times.</b> A frame's presentation time is what {@link #setTimestamp} said since the frame before; else {@link Frame#timestamp}, if it is not 0; else 1 /
 * {@link #getFrameRate()} after the frame before, or, without a frame rate, the time since {@link #start()}. JavaCV counts in microseconds, the ring in nanoseconds.
 *
 * <p>{@link #record} does not wait for readers but under {@code strict_wait}; a frame for which there is no slot is dropped, and counted by {@link Publisher#dropped()} or
 * {@link Publisher#refused()}. Sound cannot be recorded. For one thread at a time.
 */
public final class CuframesFrameRecorder extends FrameRecorder {
    private static final System.Logger LOG = System.getLogger(CuframesFrameRecorder.class.getName());
    private static final Set<String> WORDS = Set.of("slots", "policy", "wait", "transport", "device", "socketDir");

    /** What RGB becomes: the matrix of BT.709, and nothing said of primaries and transfer, since a frame says nothing of them. */
    private static final ColorInfo CONVERTED = new ColorInfo(2, 2, 1, ColorInfo.Range.LIMITED);

    private static final long UNSAID = Long.MIN_VALUE;
    private static final long COPY_PATIENCE_NANOS = 2_000_000_000;
    private static final long LEGACY_DEFAULT_STREAM = 0;

    private final String text;
    private ColorInfo color;
    private Publisher publisher;
    private Scratch source;
    private Scratch upload;
    private HostPicture from;
    private HostPicture to;
    private PictureConverter converter;
    private long saidMicros = UNSAID;
    private long startNanos;
    private long lastPts;
    private boolean recorded;

    /**
     * Makes a recorder; nothing is opened or checked before {@link #start()}.
     *
     * @param url {@code cuframes://KEY}, and words as above
     * @param imageWidth pixels
     * @param imageHeight pixels
     */
    public CuframesFrameRecorder(String url, int imageWidth, int imageHeight) {
        text = url;
        this.imageWidth = imageWidth;
        this.imageHeight = imageHeight;
        this.pixelFormat = AV_PIX_FMT_NONE;
    }

    /**
     * Makes a recorder of a size yet to be set.
     *
     * @param url {@code cuframes://KEY}, and words as above
     */
    public CuframesFrameRecorder(String url) {
        this(url, 0, 0);
    }

    /**
     * Makes the ring and lets readers in.
     *
     * @throws FrameRecorder.Exception if the URL or a setting is not usable, the key is in use, or the ring cannot be made
     */
    @Override
    public void start() throws Exception {
        if (publisher != null) {
            throw new Exception(text + " is being published already: stop() comes before another start()");
        }
        try {
            CuframesUrl url = new CuframesUrl(text, WORDS, options);
            if (imageWidth <= 0 || imageHeight <= 0) {
                throw bad("the size is " + imageWidth + "x" + imageHeight
                        + ": set imageWidth and imageHeight, or give them to the constructor");
            }
            if (audioChannels > 0) {
                throw bad("sound cannot be recorded: setAudioChannels(0)");
            }
            warnOfOptions();
            Ffmpeg.load();
            source = new Scratch();
            upload = new Scratch();
            from = new HostPicture();
            to = new HostPicture();
            converter = new PictureConverter();
            publisher = open(url);
        } catch (CuframesException e) {
            freeAll();
            throw new Exception(e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            Steps.runAllAfter(e, this::freeAll);
            throw e;
        }
        saidMicros = UNSAID;
        recorded = false;
        frameNumber = 0;
        timestamp = 0;
        startNanos = System.nanoTime();
    }

    private Publisher open(CuframesUrl url) {
        Publisher.Builder builder = Publisher.builder(url.key())
                .size(imageWidth, imageHeight)
                .format(ringFormat())
                .policy(url.constant("policy", PublishPolicy.class, PublishPolicy.DROP_OLDEST))
                .transport(url.constant("transport", Transport.class, Transport.AUTO))
                .socketDirectory(url.path("socketDir"))
                .color(color != null ? color : isYuv(ringFormat()) ? CONVERTED : ColorInfo.UNKNOWN);
        if (url.says("slots")) {
            builder.slots(url.number("slots", 0));
        }
        if (url.says("wait")) {
            builder.waitTimeout(url.duration("wait", Duration.ZERO));
        }
        if (url.says("device")) {
            builder.device(url.number("device", 0));
        }
        return builder.open();
    }

    private PixelFormat ringFormat() {
        if (pixelFormat == AV_PIX_FMT_NONE) {
            return PixelFormat.NV12;
        }
        for (PixelFormat format : PixelFormat.values()) {
            if (HostPicture.ffmpegFormat(format) == pixelFormat) {
                return format;
            }
        }
        Ffmpeg.load();
        throw bad("a ring cannot be of pixel format " + Nv12Converter.name(pixelFormat)
                + ": the formats are FFmpeg's nv12, p010le, yuv420p, yuv444p, rgb24, rgba, gray and gray16le");
    }

    private static boolean isYuv(PixelFormat format) {
        return switch (format) {
            case NV12, P010, YUV420P, YUV444P -> true;
            case RGB24, RGBA, GRAY8, GRAY16 -> false;
        };
    }

    private CuframesException bad(String why) {
        return new CuframesException(ErrorCode.INVALID_ARGUMENT, text + ": " + why);
    }

    private void warnOfOptions() {
        for (String option : options.keySet()) {
            if (!WORDS.contains(option)) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        text + ": the option \"" + option + "\" means nothing here and has no effect");
            }
        }
    }

    /**
     * Publishes a picture.
     *
     * @param frame which has an image, or a cuframes frame as its {@link Frame#opaque}; null does nothing
     * @throws FrameRecorder.Exception if this is not started, or the frame is none that can be published
     */
    @Override
    public void record(@Nullable Frame frame) throws Exception {
        record(frame, AV_PIX_FMT_NONE);
    }

    /**
     * Publishes a picture whose pixel format is said.
     *
     * @param frame whose first buffer has all the picture; null does nothing
     * @param imageFormat FFmpeg's number of a format with one plane, of NV12 or YUV420P, these in the ring's colours; {@code AV_PIX_FMT_NONE} for what JavaCV takes frames
     *     of that many channels for
     * @throws FrameRecorder.Exception as {@link #record(Frame)}
     */
    public void record(@Nullable Frame frame, int imageFormat) throws Exception {
        if (publisher == null) {
            throw new Exception(text + " is not being published: start() comes before record()");
        }
        if (frame == null) {
            return;
        }
        long pts = ptsOf(frame);
        try {
            io.cuframes.Frame behind = behind(frame);
            if (behind == null && (frame.image == null || frame.image.length == 0 || frame.image[0] == null)) {
                throw bad(
                        frame.samples != null
                                ? "this frame is sound, which cannot be recorded: grab pictures alone, with grabImage() for example"
                                : "this frame has no image, and no open cuframes frame behind it");
            }
            try (WritableFrame slot = publisher.acquire()) {
                if (slot != null) {
                    slot.keyFrame(frame.keyFrame);
                    if (behind == null) {
                        describe(frame, imageFormat);
                        fill(slot);
                        slot.publish(pts);
                    } else {
                        publishCopy(behind, slot, pts);
                    }
                }
            }
        } catch (CuframesException e) {
            throw new Exception(e.getMessage(), e);
        } finally {
            Reference.reachabilityFence(frame); // its memory is used by address alone
        }
        recorded = true;
        lastPts = pts;
        timestamp = pts / 1000;
        frameNumber++;
        saidMicros = UNSAID;
    }

    private long ptsOf(Frame frame) {
        if (saidMicros != UNSAID) {
            return saidMicros * 1000;
        }
        if (frame.timestamp != 0) {
            return frame.timestamp * 1000;
        }
        if (frameRate > 0) {
            return recorded ? lastPts + Math.round(1e9 / frameRate) : 0;
        }
        return System.nanoTime() - startNanos;
    }

    /** The frame of a ring that a frame stands for, if it does. */
    private static io.cuframes.Frame behind(Frame frame) {
        boolean isMere = frame.image == null || (frame.image.length > 0 && frame.image[0].isReadOnly());
        return isMere && frame.opaque instanceof io.cuframes.Frame behind ? behind : null;
    }

    /** Finds out where the picture of a frame is: it is copied where FFmpeg cannot read it in place. */
    private void describe(Frame frame, int imageFormat) {
        int format = imageFormat == AV_PIX_FMT_NONE ? usualFormat(frame) : imageFormat;
        int valueBytes = Math.abs(Frame.pixelSize(frame.imageDepth));
        int pitch = Math.multiplyExact(frame.imageStride, valueBytes);
        boolean halved = format == AV_PIX_FMT_NV12 || format == AV_PIX_FMT_YUV420P;
        int chromaRows = halved ? (frame.imageHeight + 1) / 2 : 0;
        int rowBytes = rowBytes(format, frame.imageWidth);
        long bytes = halved
                ? (long) pitch * (frame.imageHeight + chromaRows)
                : (long) pitch * (frame.imageHeight - 1) + rowBytes;
        Buffer buffer = frame.image[0].duplicate().clear();
        MemorySegment pixels = MemorySegment.ofBuffer(buffer);
        if (frame.imageWidth <= 0 || frame.imageHeight <= 0 || pitch < rowBytes || pixels.byteSize() < bytes) {
            throw bad("the frame says it is " + Nv12Converter.name(format) + " of " + frame.imageWidth + "x"
                    + frame.imageHeight + " with " + pitch + " bytes from row to row, which takes " + bytes
                    + " bytes and " + rowBytes + " a row; its image has " + pixels.byteSize());
        }
        if (!pixels.isNative() || pixels.byteSize() < bytes + Scratch.SLACK) {
            pixels = source.copyOf(pixels.asSlice(0, bytes));
        }
        from.is(
                        format,
                        frame.imageWidth,
                        frame.imageHeight,
                        halved ? publisher.format().color() : ColorInfo.UNKNOWN)
                .plane(0, pixels.address(), pitch);
        if (halved) {
            long chroma = pixels.address() + (long) pitch * frame.imageHeight;
            from.plane(1, chroma, format == AV_PIX_FMT_NV12 ? pitch : pitch / 2);
            if (format == AV_PIX_FMT_YUV420P) {
                from.plane(2, chroma + (long) (pitch / 2) * chromaRows, pitch / 2);
            }
        }
    }

    /** As JavaCV's recorder of FFmpeg takes it. */
    private int usualFormat(Frame frame) {
        boolean bytes = Math.abs(frame.imageDepth) == 8;
        boolean shorts = Math.abs(frame.imageDepth) == 16;
        if (bytes && frame.imageChannels == 3) {
            return AV_PIX_FMT_BGR24;
        } else if (bytes && frame.imageChannels == 4) {
            return AV_PIX_FMT_RGBA;
        } else if (bytes && frame.imageChannels == 1) {
            return AV_PIX_FMT_GRAY8;
        } else if (shorts && frame.imageChannels == 1) {
            return AV_PIX_FMT_GRAY16LE;
        }
        throw bad("frames of depth " + frame.imageDepth + " with " + frame.imageChannels
                + " channels are none that a recorder knows: 8 bits with 1, 3 (BGR) or 4 (RGBA) channels, or 16 with 1; else say"
                + " the format, record(frame, AV_PIX_FMT_...)");
    }

    private int rowBytes(int format, int width) {
        if (format == AV_PIX_FMT_NV12 || format == AV_PIX_FMT_YUV420P) {
            return width;
        }
        boolean isPacked = av_pix_fmt_desc_get(format) != null && isOnePlane(format);
        if (!isPacked) {
            throw bad("frames of pixel format " + Nv12Converter.name(format)
                    + " cannot be taken from one buffer: give them as one with one plane, as NV12 or as YUV420P");
        }
        return width * ((av_get_padded_bits_per_pixel(av_pix_fmt_desc_get(format)) + 7) / 8);
    }

    private static boolean isOnePlane(int format) {
        return av_get_bits_per_pixel(av_pix_fmt_desc_get(format)) % 8 == 0
                && org.bytedeco.ffmpeg.global.avutil.av_pix_fmt_count_planes(format) == 1;
    }

    /** Converts the picture at hand into a slot. */
    private void fill(WritableFrame slot) {
        FrameFormat format = publisher.format();
        int flags = imageScalingFlags == 0 ? SWS_BILINEAR : imageScalingFlags;
        // Of RGB24, libswscale may write a few pixels past the last, into the slot behind: its steps do not fit into a
        // pitch.
        boolean direct = !publisher.transport().isDevice() && format.pixelFormat() != PixelFormat.RGB24;
        if (direct) {
            converter.convert(from, to.inPlace(slot, format), flags);
            return;
        }
        MemorySegment block = upload.of(format.frameBytes());
        converter.convert(from, to.laidOut(format, block), flags);
        for (int i = 0; i < format.planes().size(); i++) {
            PlaneLayout plane = format.planes().get(i);
            slot.copyPlane(i, block.asSlice(plane.offset(), plane.bytes()), plane.pitch());
        }
    }

    /** Whether samples mean the same in both, so that they can be copied as they are. */
    private static boolean sameColors(FrameFormat frame, FrameFormat ring) {
        int format = HostPicture.ffmpegFormat(frame.pixelFormat());
        return PictureConverter.matrix(frame.height(), frame.color())
                        == PictureConverter.matrix(ring.height(), ring.color())
                && PictureConverter.range(format, frame.color()) == PictureConverter.range(format, ring.color());
    }

    private void publishCopy(io.cuframes.Frame frame, WritableFrame slot, long pts) {
        slot.damaged(frame.isDamaged());
        FrameFormat format = publisher.format();
        boolean same = frame.format().pixelFormat() == format.pixelFormat()
                && frame.width() == format.width()
                && frame.height() == format.height()
                && sameColors(frame.format(), format);
        boolean onDevice = frame.transport().isDevice();
        if (same && onDevice && publisher.transport().isDevice()) {
            for (int i = 0; i < frame.planeCount(); i++) {
                slot.copyPlane(i, frame.plane(i).pointer(), frame.plane(i).pitch(), LEGACY_DEFAULT_STREAM);
            }
            awaitCopy(slot.publish(LEGACY_DEFAULT_STREAM, pts));
            return;
        }
        if (onDevice) {
            MemorySegment block = source.of(frame.sizeBytes());
            frame.copyTo(block);
            from.laidOut(frame.format(), block);
        } else {
            from.inPlace(frame, source);
        }
        fill(slot);
        slot.publish(pts);
    }

    /** The frame copied from is the caller's again when record returns, so the copy must be done. */
    private void awaitCopy(long seq) {
        long start = System.nanoTime();
        while (publisher.announced() < seq) {
            if (System.nanoTime() - start > COPY_PATIENCE_NANOS) {
                throw new CuframesException(
                        ErrorCode.TIMEOUT,
                        text + ": the GPU has not copied a frame within 2 s: it is stuck or very busy");
            }
            Thread.onSpinWait();
        }
    }

    /**
     * What the ring says of its colours, and what RGB is converted to. Holds from the next {@link #start()}.
     *
     * @param newColor the colours; null for limited-range BT.709 where the ring is YUV, and nothing else
     */
    public void setColor(@Nullable ColorInfo newColor) {
        color = newColor;
    }

    /** Sets the presentation time of the next frame, microseconds. */
    @Override
    public void setTimestamp(long newTimestamp) {
        saidMicros = newTimestamp;
        timestamp = newTimestamp;
    }

    /** Nothing is held back, so there is nothing to do. */
    @Override
    public void flush() {}

    /** Ends the stream: readers finish what is in the ring, and are told that it is over. Stopping what is stopped does nothing. */
    @Override
    public void stop() throws Exception {
        if (publisher == null) {
            return;
        }
        Publisher ending = publisher;
        publisher = null;
        try {
            Steps.runAll(ending::close, this::freeAll);
        } catch (CuframesException e) {
            throw new Exception(e.getMessage(), e);
        }
    }

    private void freeAll() {
        AutoCloseable[] parts = {converter, from, to, source, upload};
        converter = null;
        from = null;
        to = null;
        source = null;
        upload = null;
        Steps.closeAll(parts);
    }

    /** As {@link #stop()}. */
    @Override
    public void release() throws Exception {
        stop();
    }

    /**
     * The publisher behind this recorder, for its statistics.
     *
     * @return the publisher, which {@link #stop()} closes; null while this is not started
     */
    public @Nullable Publisher publisher() {
        return publisher;
    }
}
