// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.avcodec_get_class;

import io.cuframes.ffm.LibAvutil;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avutil.AVClass;
import org.bytedeco.javacpp.Loader;
import org.jspecify.annotations.Nullable;

/**
 * Counts what FFmpeg's log says about damage of one input: coded data that was missing, cut or skipped, {@link DamageMessages}. Neither a status nor a
 * frame's flags tell of some of it. One damage may bring several messages, and those of a decoder with frame threads come frames before its frame does.
 *
 * <p>Create after the demuxer's context, close before it is freed. {@link #watch} and {@link #close} may be called by one thread, {@link #count} by any.
 * FFmpeg's threads count; they take no lock, so closing a decoder, which waits for them, cannot deadlock.
 */
final class DamageReports implements AutoCloseable {
    /** No address of a process: {@code opaque} fields of others hold those. */
    private static final AtomicLong NUMBERS = new AtomicLong(0x6375_6672_0000_0000L);

    /** A child's parent's parent is as far as FFmpeg goes. */
    private static final int MOST_ANCESTORS = 4;

    /** No context has this address. */
    private static final long NO_DEMUXER = -1;

    /** All that are not closed. Replaced as a whole, by {@link #replace}, so that it is read without a lock. */
    private static volatile DamageReports[] open = {};

    /** Where things are in FFmpeg's structures, asked of JavaCPP, which was compiled with them. Initialized before there is anything to count. */
    private static final class Layout {
        static final long CODEC_CLASS = avcodec_get_class().address();
        static final int OPAQUE = Loader.offsetof(AVCodecContext.class, "opaque");
        static final int PARENT_OFFSET = Loader.offsetof(AVClass.class, "parent_log_context_offset");
    }

    /** In {@code AVCodecContext.opaque}, which frame threads' copies of a context share. */
    private final long number = NUMBERS.incrementAndGet();

    private final long demuxer;
    private final AtomicLong messages = new AtomicLong();

    /**
     * Counts for a demuxer, which its depacketizers log as, too.
     *
     * @param demuxer the context; what it has said before is not counted
     */
    DamageReports(AVFormatContext demuxer) {
        this(demuxer.address());
    }

    /** Counts for decoders alone. */
    DamageReports() {
        this(NO_DEMUXER);
    }

    private DamageReports(long demuxer) {
        this.demuxer = demuxer;
        if (Layout.CODEC_CLASS == 0 || Layout.OPAQUE < 0 || Layout.PARENT_OFFSET < 0) {
            throw new IllegalStateException("JavaCPP does not know FFmpeg's structures");
        }
        replace(this, true);
    }

    /**
     * Counts for a decoder, too, besides those before it.
     *
     * @param decoder a context that is not open yet; its {@code opaque} is used from now on
     */
    void watch(AVCodecContext decoder) {
        decoder.opaque(new NativeAddress().at(number));
    }

    /** How many messages there have been. */
    long count() {
        return messages.get();
    }

    /** Takes note of a message. */
    void add() {
        messages.incrementAndGet();
    }

    /** Those of the one that logs, or of what it is a part of; null if nobody wants to know. */
    static @Nullable DamageReports of(long context) {
        DamageReports[] all = open;
        long each = context;
        for (int i = 0; i < MOST_ANCESTORS && all.length > 0 && each != 0; i++) {
            long type = LibAvutil.getLong(each); // every context begins with its AVClass
            if (type == 0) {
                return null;
            }
            DamageReports found = type == Layout.CODEC_CLASS
                    ? ofNumber(all, LibAvutil.getLong(each + Layout.OPAQUE))
                    : ofDemuxer(all, each);
            if (found != null) {
                return found;
            }
            int parent = LibAvutil.getInt(type + Layout.PARENT_OFFSET);
            each = parent == 0 ? 0 : LibAvutil.getLong(each + parent);
        }
        return null;
    }

    private static @Nullable DamageReports ofNumber(DamageReports[] all, long number) {
        for (DamageReports reports : all) {
            if (reports.number == number) {
                return reports;
            }
        }
        return null;
    }

    private static @Nullable DamageReports ofDemuxer(DamageReports[] all, long context) {
        for (DamageReports reports : all) {
            if (reports.demuxer == context) {
                return reports;
            }
        }
        return null;
    }

    private static synchronized void replace(DamageReports reports, boolean added) {
        DamageReports[] others =
                Arrays.stream(open).filter(each -> each != reports).toArray(DamageReports[]::new);
        if (added) {
            others = Arrays.copyOf(others, others.length + 1);
            others[others.length - 1] = reports;
        }
        open = others;
    }

    /** How many are not closed, for tests. */
    static int openCount() {
        return open.length;
    }

    /** Counts no more. Closing twice closes once. */
    @Override
    public void close() {
        replace(this, false);
    }
}
