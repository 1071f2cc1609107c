// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.ColorInfo;
import io.cuframes.FrameFormat;
import io.cuframes.Publisher;
import java.time.Duration;
import java.util.Locale;

/** Shows how the run of the only source goes on. For its thread. */
final class SourceProgress implements SourceRun.Watcher {
    private final String key;
    private final boolean json;
    private final Ticker ticker;

    SourceProgress(String key, ChildOptions options) {
        this.key = key;
        this.json = options.json();
        this.ticker = options.ticker();
    }

    @Override
    public void opened(SourceRun run) {
        if (json) {
            System.out.println(event("opened", run).end());
        } else {
            Console.standardError().line(announcement(run.publisher()));
        }
        if (run.epochs() > 1) {
            Console.standardError().line(change(run.publisher()));
        }
    }

    /** That a stream is there. */
    static String announcement(Publisher publisher) {
        return "publishing \"" + publisher.key() + "\": " + publisher.describe();
    }

    /** That a stream goes on with another format. */
    static String change(Publisher publisher) {
        FrameFormat format = publisher.format();
        ColorInfo color = format.color();
        return "the format is now " + format.pixelFormat() + " " + format.width() + "x" + format.height()
                + ", colours " + color.primaries() + "/" + color.transfer() + "/" + color.matrix() + ", range "
                + color.range() + ": a new epoch of the same key";
    }

    /** What a turn means, in words; empty where the frames themselves show it. */
    static String turn(SourceRun run) {
        return switch (run.phase()) {
            case IDLE -> "nobody reads: the source is closed until somebody does";
            case STARTING -> "somebody reads: opening the source";
            case DECODING -> "";
            case OPENING -> "";
        };
    }

    @Override
    public void waiting(SourceRun run, String reason, Duration retryIn) {
        Console.standardError().line(retry("the stream cannot be opened: " + reason, retryIn));
        if (json) {
            System.out.println(JsonLine.begin()
                    .put("event", "waiting")
                    .put("key", key)
                    .put("reason", reason)
                    .end());
        }
    }

    /** That something failed and is tried again. */
    static String retry(String reason, Duration retryIn) {
        return String.format(Locale.ROOT, "%s; trying again in %.1f s", reason, retryIn.toMillis() / 1e3);
    }

    @Override
    public void turned(SourceRun run) {
        if (!run.varies()) {
            return; // it decodes from the first frame to the last, as the announcement says
        }
        String text = turn(run);
        if (json) {
            System.out.println(
                    event(run.phase().name().toLowerCase(Locale.ROOT), run).end());
        } else if (!text.isEmpty()) {
            Console.standardError().line(text);
        }
    }

    private static JsonLine event(String name, SourceRun run) {
        return JsonLine.begin()
                .put("event", name)
                .put("key", run.publisher().key())
                .put("transport", run.transport().name());
    }

    @Override
    public void offered(SourceRun run) {
        if (!ticker.due(System.nanoTime(), run.frames())) {
            return;
        }
        if (json) {
            JsonLine line = event("progress", run).put("frames", run.frames()).put("dropped", run.dropped());
            System.out.println(run.damage()
                    .putInto(line)
                    .put("subscribers", run.subscribers())
                    .putTenths("fps", ticker.perSecond())
                    .end());
        } else {
            Console.standardError()
                    .live(String.format(
                            Locale.ROOT,
                            "%s  %.1f fps  frames %d  dropped %d%s  subscribers %d",
                            run.publisher().key(),
                            ticker.perSecond(),
                            run.frames(),
                            run.dropped(),
                            run.damage().text("  "),
                            run.subscribers()));
        }
    }
}
