// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_LOG_WARNING;

import io.cuframes.ffm.LibAvutil;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.bytedeco.ffmpeg.global.avutil;
import org.bytedeco.javacpp.Loader;
import org.jspecify.annotations.Nullable;

/**
 * FFmpeg's own log: goes to standard error as ever, but without the credentials that it shows (it repeats URLs, and at its finest level requests), and
 * is looked through for messages of damage, {@link DamageReports}.
 *
 * <p>FFmpeg calls it on the thread that logs, among them its decoders' own, for every message of every level: dozens for a frame. Those that are neither
 * printed nor of interest cost the way here and the question for the level. JavaCPP's callback does not do: it tells neither who logs nor what is not
 * printed. A program that sets a callback of its own afterwards, such as JavaCV's {@code FFmpegLogCallback.set()}, takes the place of this one: nothing
 * is counted then.
 */
final class FfmpegLog {
    private static final int LONGEST_LINE = 8192;

    /** Bytes of one message; FFmpeg's own callback cuts them there, too. */
    private static final int LONGEST_MESSAGE = 1024;

    /** Below this a level is one; above, {@code AV_LOG_C} adds a colour. */
    private static final int LEVEL_MASK = 0xff;

    private static final FfmpegLog INSTANCE = new FfmpegLog();

    /** Guarded by this, as all below. */
    private final MemorySegment message = Arena.global().allocate(LONGEST_MESSAGE);

    /** 1 where the next message to be printed begins a line. */
    private final MemorySegment beginsLine = Arena.global().allocateFrom(ValueLayout.JAVA_INT, 1);

    private final MemorySegment ignoredPrefix = Arena.global().allocate(ValueLayout.JAVA_INT);

    /** FFmpeg says some lines piece by piece, and credentials may lie in two of them. */
    private final StringBuilder line = new StringBuilder();

    private FfmpegLog() {}

    /**
     * Has FFmpeg log here; for the whole process.
     *
     * @throws LinkageError if FFmpeg's log cannot be taken over
     */
    static void install() {
        String library = Loader.load(avutil.class);
        if (library == null) {
            throw new UnsatisfiedLinkError("JavaCPP does not tell where it has loaded libavutil from");
        }
        try {
            // This is JavaCPP's own part, which libavutil's symbols are found through: no name or version has to be
            // guessed.
            LibAvutil.load(Path.of(library));
            LibAvutil.av_log_set_callback(LibAvutil.callback(MethodHandles.lookup()
                    .findStatic(
                            FfmpegLog.class,
                            "call",
                            MethodType.methodType(void.class, long.class, int.class, long.class, long.class))));
        } catch (IllegalArgumentException | UnsupportedOperationException | ReflectiveOperationException e) {
            throw (LinkageError) new UnsatisfiedLinkError("the log of " + library + ": " + e.getMessage()).initCause(e);
        }
    }

    /** FFmpeg calls this. Nothing is thrown: it would end the process. */
    @SuppressWarnings("UnusedMethod") // called by its name, above
    private static void call(long context, int level, long format, long arguments) {
        try {
            int severity = level >= 0 ? level & LEVEL_MASK : level;
            boolean printed = severity <= LibAvutil.av_log_get_level();
            DamageMessages.Kind kind =
                    severity <= AV_LOG_WARNING ? DamageMessages.kindOf(format) : DamageMessages.Kind.OTHER;
            DamageReports reports = kind == DamageMessages.Kind.OTHER ? null : DamageReports.of(context);
            if (reports != null && kind == DamageMessages.Kind.DAMAGE) {
                reports.add();
                reports = null;
            }
            if (printed || reports != null) {
                INSTANCE.take(context, level, format, arguments, printed, kind, reports);
            }
        } catch (Throwable e) { // such as OutOfMemoryError
            return; // this message is lost: there is nobody here to be told
        }
    }

    /** Looks at a message's text. Its arguments can be read once, so what is printed and what is counted by its text come from here. */
    private synchronized void take(
            long context,
            int level,
            long format,
            long arguments,
            boolean printed,
            DamageMessages.Kind kind,
            @Nullable DamageReports reports) {
        MemorySegment prefix = ignoredPrefix;
        if (printed) {
            prefix = beginsLine;
        }
        LibAvutil.av_log_format_line2(context, level, format, arguments, message, LONGEST_MESSAGE, prefix);
        String text = text();
        if (reports != null && kind.isDamage(text)) {
            reports.add();
        }
        if (printed) {
            print(text);
        }
    }

    /** The message; where it was cut, the last character may be one that stands for the half of one. */
    private String text() {
        int length = 0;
        while (length < LONGEST_MESSAGE && message.get(ValueLayout.JAVA_BYTE, length) != 0) {
            length++;
        }
        byte[] bytes = message.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private void print(String piece) {
        line.append(piece);
        int end = line.lastIndexOf("\n") + 1;
        if (end == 0 && line.length() > LONGEST_LINE) {
            end = line.length();
        }
        if (end > 0) {
            System.err.print(Credentials.hideInText(line.substring(0, end)));
            line.delete(0, end);
        }
    }
}
