// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.setLogCallback;

import java.nio.charset.StandardCharsets;
import org.bytedeco.ffmpeg.avutil.LogCallback;
import org.bytedeco.javacpp.BytePointer;

/** FFmpeg's own log, on standard error as ever, but without the credentials that it shows: it repeats URLs, and at its finest level requests. */
final class FfmpegLog extends LogCallback {
    private static final int LONGEST_LINE = 8192;

    /** Held here: FFmpeg knows its address alone. */
    private static final FfmpegLog INSTANCE = new FfmpegLog();

    /** FFmpeg says some lines piece by piece, and credentials may lie in two of them. Guarded by this. */
    private final StringBuilder line = new StringBuilder();

    private FfmpegLog() {}

    /** Has FFmpeg log here; for the whole process. */
    static void install() {
        setLogCallback(INSTANCE);
    }

    @Override
    public void call(int level, BytePointer message) {
        byte[] bytes = message.getStringBytes();
        take(new String(bytes, StandardCharsets.UTF_8));
    }

    private synchronized void take(String piece) {
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
