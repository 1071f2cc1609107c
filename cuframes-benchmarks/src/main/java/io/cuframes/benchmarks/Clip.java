// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import io.cuframes.CuframesException;
import io.cuframes.javacv.TestPatternWriter;
import org.bytedeco.ffmpeg.ffmpeg;
import org.bytedeco.javacpp.Loader;

/**
 * The test pattern as a file, in H.264 by the first encoder there is, for programs that are no Java; and where FFmpeg's own program is.
 *
 * <p>Arguments: file, width, height, frames a second, frames. Prints the path of the ffmpeg program in FFmpeg's natives.
 */
public final class Clip {
    private static final String[] ENCODERS = {"libx264", "libopenh264"};

    private Clip() {}

    public static void main(String[] args) {
        CuframesException refused = null;
        for (String encoder : ENCODERS) {
            try {
                write(args, encoder);
                System.out.println(Loader.load(ffmpeg.class));
                return;
            } catch (CuframesException e) {
                refused = e;
            }
        }
        throw refused;
    }

    private static void write(String[] args, String encoder) {
        int fps = Integer.parseInt(args[3]);
        try (TestPatternWriter writer = TestPatternWriter.builder(args[0])
                .size(Integer.parseInt(args[1]), Integer.parseInt(args[2]))
                .fps(fps)
                .gop(fps)
                .codec(encoder)
                .open()) {
            for (int i = 0; i < Integer.parseInt(args[4]); i++) {
                writer.write();
            }
        }
    }
}
