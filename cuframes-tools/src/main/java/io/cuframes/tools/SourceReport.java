// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.FrameFormat;
import io.cuframes.javacv.VideoSource;
import java.util.Locale;

/**
 * The result of a source, as text and as JSON.
 *
 * @param key the stream
 * @param source what was published
 * @param run the counts
 */
record SourceReport(String key, VideoSource source, SourceRun run) {
    String text() {
        FrameFormat format = source.format();
        String rate =
                run.frames() < 2 ? "" : String.format(Locale.ROOT, " in %.1f s, %.1f fps", run.seconds(), run.fps());
        return key + ": " + run.frames() + " frames published" + rate + ", " + format.pixelFormat() + " "
                + format.width() + "x" + format.height()
                + (run.transport() == null ? "" : " through " + run.transport()) + ", decoded by "
                + source.decoder() + "; dropped " + run.dropped() + run.damage().text(", ") + ", at most "
                + run.mostSubscribers()
                + " subscribers at a time";
    }

    JsonLine json() {
        FrameFormat format = source.format();
        JsonLine line = JsonLine.begin()
                .put("key", key)
                .put(
                        "transport",
                        run.transport() == null ? null : run.transport().name())
                .put("decoder", source.decoder().name())
                .put("format", format.pixelFormat().name())
                .put("width", format.width())
                .put("height", format.height())
                .put("epochs", run.epochs())
                .put("starts", run.starts())
                .put("frames", run.frames())
                .put("dropped", run.dropped());
        return run.damage()
                .putInto(line)
                .put("max_subscribers", run.mostSubscribers())
                .putTenths("fps", run.fps())
                .end();
    }
}
