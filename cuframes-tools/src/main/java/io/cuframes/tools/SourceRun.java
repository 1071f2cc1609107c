// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.ColorInfo;
import io.cuframes.FrameFormat;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.javacv.VideoSource;
import java.util.Locale;
import java.util.function.Function;

/** Publishes a source until it ends; where its format changes, its publisher is opened anew with that. For one thread. */
final class SourceRun {
    private final VideoSource source;
    private final Function<FrameFormat, Publisher> opener;
    private final long maxFrames;
    private final boolean json;
    private final Ticker ticker;
    private Publisher publisher;
    private Transport transport;
    private int epochs;
    private long frames;
    private long dropped;
    private int mostSubscribers;
    private long firstNanos;
    private long lastNanos;

    SourceRun(VideoSource source, Function<FrameFormat, Publisher> opener, long maxFrames, ChildOptions options) {
        this.source = source;
        this.opener = opener;
        this.maxFrames = maxFrames;
        this.json = options.json();
        this.ticker = options.ticker();
    }

    /** Publishes until the source ends, the frames are counted, or the signal comes. */
    void run(StopSignal stop) {
        // Before the first frame a format may be known in part only, and the rest of it would begin another epoch at
        // once.
        if (stop.raised() || !source.awaitFrame()) {
            return;
        }
        publisher = opener.apply(source.format());
        try {
            announceOpening();
            while (publishAll(stop) == VideoSource.Status.FORMAT_CHANGED) {
                publisher = publisher.reopen(source.format());
                announceOpening();
            }
        } finally {
            publisher.close();
        }
    }

    private VideoSource.Status publishAll(StopSignal stop) {
        VideoSource.Status status = VideoSource.Status.PUBLISHED;
        while (!stop.raised() && (maxFrames == 0 || frames < maxFrames)) {
            status = source.publishNext(publisher);
            switch (status) {
                case PUBLISHED -> count();
                case DROPPED -> dropped++;
                case FORMAT_CHANGED, END -> {
                    return status;
                }
            }
            offerProgress();
        }
        return status;
    }

    private void count() {
        lastNanos = System.nanoTime();
        if (frames == 0) {
            firstNanos = lastNanos;
        }
        frames++;
    }

    private void announceOpening() {
        epochs++;
        transport = publisher.transport();
        if (json) {
            System.out.println(event("opened").end());
        } else {
            Console.standardError().line("publishing \"" + publisher.key() + "\": " + publisher.describe());
        }
        if (epochs > 1) {
            Console.standardError()
                    .line("the format is now " + text(publisher.format()) + ": a new epoch of the same key");
        }
    }

    private static String text(FrameFormat format) {
        ColorInfo color = format.color();
        return format.pixelFormat() + " " + format.width() + "x" + format.height() + ", colours " + color.primaries()
                + "/" + color.transfer() + "/" + color.matrix() + ", range " + color.range();
    }

    private JsonLine event(String name) {
        return JsonLine.begin().put("event", name).put("key", publisher.key()).put("transport", transport.name());
    }

    private void offerProgress() {
        int subscribers = publisher.subscribers();
        mostSubscribers = Math.max(mostSubscribers, subscribers);
        if (!ticker.due(System.nanoTime(), frames)) {
            return;
        }
        if (json) {
            System.out.println(event("progress")
                    .put("frames", frames)
                    .put("dropped", dropped)
                    .put("subscribers", subscribers)
                    .putTenths("fps", ticker.perSecond())
                    .end());
        } else {
            Console.standardError()
                    .live(String.format(
                            Locale.ROOT,
                            "%s  %.1f fps  frames %d  dropped %d  subscribers %d",
                            publisher.key(),
                            ticker.perSecond(),
                            frames,
                            dropped,
                            subscribers));
        }
    }

    /** Publishers opened: one, and one more for each change of format. */
    int epochs() {
        return epochs;
    }

    long frames() {
        return frames;
    }

    /** Frames that found every slot being read. */
    long dropped() {
        return dropped;
    }

    /** The most subscribers there were at a time. */
    int mostSubscribers() {
        return mostSubscribers;
    }

    /** Where the frames were; null if there was none. */
    Transport transport() {
        return transport;
    }

    double seconds() {
        return (lastNanos - firstNanos) / 1e9;
    }

    double fps() {
        return frames < 2 ? Double.NaN : (frames - 1) / seconds();
    }
}
