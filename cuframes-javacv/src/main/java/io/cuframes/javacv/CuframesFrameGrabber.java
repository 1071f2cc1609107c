// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_BGR24;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_BGRA;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY8;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NONE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGB24;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGBA;
import static org.bytedeco.ffmpeg.global.swscale.SWS_BILINEAR;

import io.cuframes.Backoff;
import io.cuframes.ColorInfo;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.Plane;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import java.lang.foreign.MemorySegment;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.bytedeco.javacv.Frame;
import org.bytedeco.javacv.FrameGrabber;
import org.jspecify.annotations.Nullable;

/**
 * Reads a cuframes stream the way JavaCV reads a camera: a program that has a {@link FrameGrabber} reads from a ring by changing the line that
 * makes it.
 *
 * <pre>{@code
 * try (FrameGrabber grabber = new CuframesFrameGrabber("cuframes://cam1?timeout=5s")) {
 *     grabber.start();
 *     for (Frame frame = grabber.grab(); frame != null; frame = grabber.grab()) {
 *         canvas.showImage(frame);
 *     }
 * }
 * }</pre>
 *
 * <p>The URL is {@code cuframes://KEY}, and these words may follow after a question mark, joined by {@code &}; {@link #setOption} says the same, and
 * has precedence. An unknown word in the URL is an error of {@link #start()}; an unknown option, since programs have options for FFmpeg, is logged and
 * has no effect.
 *
 * <table>
 * <caption>What can be said</caption>
 * <tr><th>word</th><th>value</th><th>unless said</th></tr>
 * <tr><td>mode</td><td>{@code newest}: the newest frame at each grab; {@code strict}: every frame, in order</td><td>newest</td></tr>
 * <tr><td>timeout</td><td>how long a grab waits for a frame: 500ms, 5s, 2m</td><td>{@link #getTimeout()}, milliseconds; 0 and less wait without
 * limit</td></tr>
 * <tr><td>connect</td><td>how long {@link #start()} waits for a publisher</td><td>5s</td></tr>
 * <tr><td>reconnect</td><td>{@code true}: read on from the publisher that follows</td><td>false</td></tr>
 * <tr><td>image</td><td>{@code none}: leave {@link Frame#image} null and copy nothing; the pixels are those of {@link Frame#opaque}</td><td>host</td></tr>
 * <tr><td>device</td><td>the CUDA device to read on</td><td>that of the ring</td></tr>
 * <tr><td>socketDir</td><td>where the publisher's socket is</td><td>the usual places</td></tr>
 * <tr><td>name</td><td>what the publisher calls this reader</td><td>nothing</td></tr>
 * </table>
 *
 * <p><b>Frames.</b> As with JavaCV's own grabbers, a frame is valid until the next grab: the same object comes back, with other pixels. {@link
 * Frame#clone()} makes one to keep. {@link Frame#opaque} is the {@link io.cuframes.Frame}, leased until the next grab, {@link #stop()}, or until the program closes it: its
 * planes are the ring's memory, on the GPU where the ring is there, and {@link io.cuframes.Frame#isDamaged()} says whether its pixels may be wrong, for
 * which JavaCV's frame has no field. {@link Frame#timestamp} is the presentation time in microseconds.
 *
 * <p><b>Copies.</b> In {@link FrameGrabber.ImageMode#COLOR} and {@code GRAY} the picture is converted on the CPU, by FFmpeg's libswscale, to BGR24 or
 * 8 bits of grey, or to BGR24, RGB24, BGRA, RGBA or GRAY8 after {@link #setPixelFormat}, scaled after {@link #setImageWidth} and {@link #setImageHeight}; a frame on a GPU is copied to
 * host memory first. In {@code RAW} the image has the stream's own planes, read-only: in place where the ring is in host memory, without any
 * copy, else copied once. A {@link Frame#imageStride} counts values, not bytes, and is that of plane 0; the strides of others are with {@link Frame#opaque}.
 *
 * <p><b>The end.</b> {@link #grab()} returns null once the publisher has ended the stream, and at each further call. If the publisher died, changed the
 * format, or does not wait for this reader any longer, it throws; with {@code reconnect=true} none of that happens, and a grab waits for the next
 * publisher, whose frames may have another size. If no frame comes in time it throws, and may be called again. {@link #restart()} connects anew.
 *
 * <p>A live stream has no length ({@link #getLengthInFrames()} is 0) and no positions ({@link #setTimestamp} and {@link #setFrameNumber} throw). Its
 * frame rate is not known beforehand: {@link #getFrameRate()} is what {@link #setFrameRate} said, else 0 until two frames were grabbed, then what
 * their times tell.
 *
 * <p>One thread at a time grabs. {@link #stop()}, {@link #release()} and {@link #close()} may be called from any thread; a grab that waits then throws.
 */
public final class CuframesFrameGrabber extends FrameGrabber {
    private static final System.Logger LOG = System.getLogger(CuframesFrameGrabber.class.getName());
    private static final Set<String> WORDS =
            Set.of("mode", "timeout", "connect", "reconnect", "image", "device", "socketDir", "name");

    /** Rows of converted pictures begin at multiples of this, bytes: libswscale is slow, and was wrong, elsewhere. */
    private static final int ALIGNMENT = 64;

    private static final Duration LOOK = Duration.ofSeconds(1);

    private final String text;

    /** Held while a frame is looked at, and while all is taken down: no picture is read from memory that is being unmapped. */
    private final ReentrantLock lock = new ReentrantLock();

    private volatile Subscriber subscriber;
    private boolean hostImage;
    private long timeoutNanos;
    private io.cuframes.Frame held;
    private Frame shown;
    private HostPicture from;
    private HostPicture to;
    private PictureConverter converter;
    private Scratch scratch;
    private ByteBuffer target;

    /** What a converted picture is shown as: the target. */
    private Buffer[] converted;

    /** Whether what is shown is memory of the ring or of the scratch, which goes when this is stopped. */
    private boolean shownInPlace;

    private boolean over;
    private long rateEpoch;
    private long firstSeq;
    private long firstPts;
    private double measuredRate;

    /**
     * Makes a grabber; nothing is opened or checked before {@link #start()}.
     *
     * @param url {@code cuframes://KEY}, and words as above
     */
    public CuframesFrameGrabber(String url) {
        text = url;
    }

    /**
     * Connects to the publisher.
     *
     * @throws FrameGrabber.Exception if the URL or a setting is not usable, no publisher answers in time, or it does not admit this process
     */
    @Override
    public void start() throws Exception {
        lock.lock();
        try {
            if (subscriber != null) {
                throw new Exception(text + " is being read already: stop() comes before another start()");
            }
            CuframesUrl url = new CuframesUrl(text, WORDS, options);
            checkSettings();
            warnOfOptions();
            hostImage = url.choice("image", 0, "host", "none") == 0;
            Duration limit = url.duration("timeout", Duration.ofMillis(Math.max(0, timeout)));
            timeoutNanos = limit.isZero() ? Long.MAX_VALUE : TimeUnit.NANOSECONDS.convert(limit);
            if (hostImage && imageMode != ImageMode.RAW) {
                Ffmpeg.load();
            }
            connect(url);
        } catch (CuframesException e) {
            throw new Exception(e.getMessage(), e);
        } finally {
            lock.unlock();
        }
    }

    private void connect(CuframesUrl url) {
        Subscriber.Builder builder = Subscriber.builder(url.key())
                .mode(
                        url.choice("mode", 0, "newest", "strict") == 0
                                ? SubscriberMode.NEWEST_ONLY
                                : SubscriberMode.STRICT_ORDER)
                .connectTimeout(url.duration("connect", Duration.ofSeconds(5)))
                .socketDirectory(url.path("socketDir"));
        if (url.choice("reconnect", 0, "false", "true") == 1) {
            builder.reconnect(Backoff.DEFAULT);
        }
        if (url.says("device")) {
            builder.device(url.number("device", 0));
        }
        if (url.says("name")) {
            builder.name(url.word("name"));
        }
        shown = new Frame();
        shownInPlace = false;
        Subscriber connected;
        try {
            if (hostImage) {
                converter = new PictureConverter();
                from = new HostPicture();
                to = new HostPicture();
                scratch = new Scratch();
            }
            connected = builder.open();
        } catch (RuntimeException | Error e) {
            Steps.runAllAfter(e, this::freeAll);
            throw e;
        }
        over = false;
        measuredRate = 0;
        rateEpoch = 0;
        frameNumber = 0;
        timestamp = 0;
        subscriber = connected;
    }

    private void checkSettings() {
        if (imageMode == ImageMode.RAW && (imageWidth > 0 || imageHeight > 0)) {
            throw bad("frames in ImageMode.RAW are not scaled: set no image size, or another mode");
        }
        if (imageMode == ImageMode.RAW && pixelFormat != AV_PIX_FMT_NONE) {
            throw bad("frames in ImageMode.RAW are not converted: set no pixel format, or another mode");
        }
        if (deinterlace) {
            throw bad("a grabber does not deinterlace: setDeinterlace(false), and have the publisher do it");
        }
        channels(targetFormat());
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

    private int targetFormat() {
        if (pixelFormat != AV_PIX_FMT_NONE) {
            return pixelFormat;
        }
        return imageMode == ImageMode.GRAY ? AV_PIX_FMT_GRAY8 : AV_PIX_FMT_BGR24;
    }

    private int channels(int format) {
        return switch (format) {
            case AV_PIX_FMT_BGR24, AV_PIX_FMT_RGB24 -> 3;
            case AV_PIX_FMT_BGRA, AV_PIX_FMT_RGBA -> 4;
            case AV_PIX_FMT_GRAY8 -> 1;
            default ->
                throw bad("pixel format " + format
                        + " is none that a grabber converts to: AV_PIX_FMT_BGR24, RGB24, BGRA, RGBA or"
                        + " GRAY8; the stream's own planes come with ImageMode.RAW");
        };
    }

    /**
     * Waits for the next frame. The frame before is not valid any more.
     *
     * @return the frame, valid until the next call; null if the publisher has ended the stream
     * @throws FrameGrabber.Exception if no frame came in time, the publisher died, changed the format or cut this reader off, the thread was
     *     interrupted (and it still is), or the grabber is not started, or is stopped meanwhile
     */
    @Override
    public @Nullable Frame grab() throws Exception {
        Subscriber current = subscriber;
        if (current == null) {
            throw new Exception(text + " is not being read: start() comes before grab()");
        }
        letGo();
        try {
            io.cuframes.Frame next = over ? null : await(current);
            return next == null ? null : show(current, next);
        } catch (CuframesException e) {
            throw new Exception(e.getMessage(), e);
        } catch (IllegalStateException e) {
            throw new Exception(text + " was stopped while a frame was waited for", e);
        }
    }

    private io.cuframes.Frame await(Subscriber current) throws Exception {
        long start = System.nanoTime();
        while (true) {
            long left = timeoutNanos - (System.nanoTime() - start);
            io.cuframes.Frame next = nextOf(current, Duration.ofNanos(Math.min(Math.max(0, left), LOOK.toNanos())));
            if (next != null || over) {
                return next;
            }
            if (Thread.currentThread().isInterrupted()) {
                throw new Exception(text + ": the thread was interrupted while it waited for a frame");
            }
            if (left <= 0) {
                throw new Exception(text + ": no frame within " + timeoutNanos / 1_000_000 + " ms; the publisher "
                        + (current.isConnected()
                                ? "is there, but sends none"
                                : "is gone (" + current.disconnectReason() + "), and none has followed"));
            }
        }
    }

    private io.cuframes.Frame nextOf(Subscriber current, Duration wait) {
        try {
            return current.next(wait);
        } catch (PublisherGoneException e) {
            if (e.reason() != PublisherGoneException.Reason.ENDED) {
                throw e;
            }
            over = true;
            return null;
        }
    }

    private Frame show(Subscriber current, io.cuframes.Frame next) throws Exception {
        lock.lock();
        try {
            if (subscriber != current) {
                throw new Exception(text + " was stopped while a frame was waited for");
            }
            held = next;
            checkSettings(); // the mode may be another than at the start
            if (!hostImage) {
                shown.image = null;
                describe(next.width(), next.height(), Frame.DEPTH_UBYTE, 0, 0);
            } else if (imageMode == ImageMode.RAW) {
                showPlanes(next);
            } else {
                showConverted(next);
            }
            timestamp = next.ptsNanos() / 1000;
            frameNumber = (int) Math.min(next.seq(), Integer.MAX_VALUE);
            measureRate(next);
            shown.timestamp = timestamp;
            shown.keyFrame = next.isKeyFrame();
            shown.type = Frame.Type.VIDEO;
            shown.opaque = next;
            return shown;
        } finally {
            lock.unlock();
        }
    }

    private void describe(int width, int height, int depth, int channels, int stride) {
        shown.imageWidth = width;
        shown.imageHeight = height;
        shown.imageDepth = depth;
        shown.imageChannels = channels;
        shown.imageStride = stride;
    }

    private void showPlanes(io.cuframes.Frame next) {
        FrameFormat format = next.format();
        PixelFormat pixels = format.pixelFormat();
        boolean wide = pixels.componentBytes() == 2;
        Buffer[] image = new Buffer[next.planeCount()];
        MemorySegment block = next.transport().isDevice() ? downloaded(next).asReadOnly() : null;
        for (int i = 0; i < image.length; i++) {
            Plane plane = next.plane(i);
            MemorySegment bytes = block == null
                    ? plane.segment()
                    : block.asSlice(plane.offset(), plane.layout().bytes());
            ByteBuffer buffer = bytes.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
            image[i] = wide ? buffer.asShortBuffer() : buffer;
        }
        shown.image = image;
        shownInPlace = true;
        describe(
                format.width(),
                format.height(),
                wide ? Frame.DEPTH_USHORT : Frame.DEPTH_UBYTE,
                pixels.components(0),
                next.plane(0).pitch() / pixels.componentBytes());
    }

    private MemorySegment downloaded(io.cuframes.Frame next) {
        MemorySegment download = scratch.of(next.sizeBytes());
        next.copyTo(download);
        return download;
    }

    private void showConverted(io.cuframes.Frame next) {
        Ffmpeg.load(); // not needed before, if this was started in RAW
        if (next.transport().isDevice()) {
            from.laidOut(next.format(), downloaded(next));
        } else {
            from.inPlace(next, scratch);
        }
        int format = targetFormat();
        int channels = channels(format);
        int width = imageWidth > 0 ? imageWidth : next.width();
        int height = imageHeight > 0 ? imageHeight : next.height();
        int stride = (Math.multiplyExact(width, channels) + ALIGNMENT - 1) & -ALIGNMENT;
        long size = (long) stride * height;
        if (target == null || target.capacity() != size) {
            if (size > Integer.MAX_VALUE - ALIGNMENT - Scratch.SLACK) {
                throw bad("a picture of " + width + "x" + height + " does not fit into a buffer of JavaCV's");
            }
            target = ByteBuffer.allocateDirect((int) size + ALIGNMENT + Scratch.SLACK)
                    .alignedSlice(ALIGNMENT)
                    .slice(0, (int) size)
                    .order(ByteOrder.nativeOrder());
            converted = new Buffer[] {target};
        }
        shown.image = converted; // it may have shown planes meanwhile
        shownInPlace = false;
        // Grey is the luma then, spread to the whole range, and not what another matrix would make of the colours.
        ColorInfo color = new ColorInfo(2, 2, PictureConverter.matrixCode(from), ColorInfo.Range.FULL);
        to.is(format, width, height, color)
                .plane(0, MemorySegment.ofBuffer(target.clear()).address(), stride);
        converter.convert(from, to, imageScalingFlags == 0 ? SWS_BILINEAR : imageScalingFlags);
        describe(width, height, Frame.DEPTH_UBYTE, channels, stride);
    }

    private void measureRate(io.cuframes.Frame next) {
        if (next.epoch() != rateEpoch || next.isPtsBackward()) {
            rateEpoch = next.epoch();
            firstSeq = next.seq();
            firstPts = next.ptsNanos();
        } else if (next.ptsNanos() > firstPts) {
            measuredRate = (next.seq() - firstSeq) * 1e9 / (next.ptsNanos() - firstPts);
        }
    }

    /** Ends the lease of the frame that was given out last. */
    private void letGo() {
        lock.lock();
        try {
            if (held != null) {
                held.close();
                held = null;
                shown.opaque = null;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Lets go of the frame given out last and skips what is in the ring: the next grab waits for a frame that is published from now on. */
    @Override
    public void flush() throws Exception {
        Subscriber current = subscriber;
        if (current == null) {
            return;
        }
        letGo();
        try {
            io.cuframes.Frame old = nextOf(current, Duration.ZERO);
            for (int i = 0; old != null && i < current.slots(); i++) {
                old.close();
                old = nextOf(current, Duration.ZERO);
            }
            if (old != null) {
                old.close();
            }
        } catch (CuframesException e) {
            throw new Exception(e.getMessage(), e);
        }
    }

    /** As {@link #flush()}: what is grabbed next was published after this call. */
    @Override
    public void trigger() throws Exception {
        flush();
    }

    /** Disconnects. The frame given out last is not valid any more. Stopping what is stopped does nothing. */
    @Override
    public void stop() throws Exception {
        lock.lock();
        try {
            Subscriber current = subscriber;
            subscriber = null;
            if (current == null) {
                return;
            }
            held = null;
            shown.opaque = null;
            if (shownInPlace) {
                shown.image = null; // its memory goes now; a converted picture stays as it is
            }
            target = null;
            converted = null;
            Steps.runAll(current::close, this::freeAll);
        } catch (CuframesException e) {
            throw new Exception(e.getMessage(), e);
        } finally {
            lock.unlock();
        }
    }

    private void freeAll() {
        AutoCloseable[] parts = {converter, from, to, scratch};
        converter = null;
        from = null;
        to = null;
        scratch = null;
        Steps.closeAll(parts);
    }

    /** As {@link #stop()}. */
    @Override
    public void release() throws Exception {
        stop();
    }

    /** The width of grabbed frames in pixels: as set, else the stream's; 0 before {@link #start()}. */
    @Override
    public int getImageWidth() {
        Subscriber current = subscriber;
        return imageWidth > 0 || current == null ? imageWidth : current.format().width();
    }

    /** The height of grabbed frames in pixels: as set, else the stream's; 0 before {@link #start()}. */
    @Override
    public int getImageHeight() {
        Subscriber current = subscriber;
        return imageHeight > 0 || current == null
                ? imageHeight
                : current.format().height();
    }

    /** FFmpeg's number of the pixel format of grabbed frames: in {@code RAW} the stream's, known once started. */
    @Override
    public int getPixelFormat() {
        if (imageMode != ImageMode.RAW) {
            return targetFormat();
        }
        Subscriber current = subscriber;
        return current == null
                ? AV_PIX_FMT_NONE
                : HostPicture.ffmpegFormat(current.format().pixelFormat());
    }

    /** Frames per second: as set, else what the times of the frames grabbed so far tell; 0 before the second. */
    @Override
    public double getFrameRate() {
        return frameRate > 0 ? frameRate : measuredRate;
    }

    /**
     * A live stream has no positions.
     *
     * @throws FrameGrabber.Exception always
     */
    @Override
    public void setTimestamp(long newTimestamp) throws Exception {
        throw new Exception(text + " is a live stream: there is no way to another time");
    }

    /**
     * A live stream has no positions.
     *
     * @throws FrameGrabber.Exception always
     */
    @Override
    public void setFrameNumber(int newFrameNumber) throws Exception {
        throw new Exception(text + " is a live stream: there is no way to another frame");
    }

    /**
     * The subscriber behind this grabber, for its statistics.
     *
     * @return the subscriber, which {@link #stop()} closes; null while this is not started
     */
    public @Nullable Subscriber subscriber() {
        return subscriber;
    }
}
