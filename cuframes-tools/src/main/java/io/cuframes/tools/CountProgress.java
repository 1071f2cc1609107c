// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.Subscriber;
import java.util.Locale;

/** Shows how a count goes on. */
final class CountProgress {
    private final Subscriber subscriber;
    private final Ticker ticker;
    private final boolean json;

    CountProgress(Subscriber subscriber, ChildOptions options) {
        this.subscriber = subscriber;
        this.ticker = options.ticker();
        this.json = options.json();
    }

    void connected() {
        if (json) {
            System.out.println(
                    event("connected").put("slots", subscriber.slots()).end());
        } else {
            Console.standardError()
                    .line("reading \"" + subscriber.key() + "\" of process " + subscriber.publisherPid() + ": "
                            + CountReport.describe(subscriber) + ", " + subscriber.slots() + " slots");
        }
    }

    private JsonLine event(String name) {
        return JsonLine.begin().put("event", name).put("key", subscriber.key());
    }

    /** Shows the state, if it is time to. */
    void offer(FrameCount count, long now) {
        if (!ticker.due(now, count.frames())) {
            return;
        }
        if (json) {
            System.out.println(
                    CountReport.putCounts(event("progress").put("seq", count.seq()), count, ticker.perSecond())
                            .end());
        } else {
            Console.standardError().live(text(count));
        }
    }

    private String text(FrameCount count) {
        StampCheck stamps = count.stamps();
        String latency = count.frames() == 0
                ? ""
                : String.format(
                        Locale.ROOT,
                        "  latency p50 %.1f us, p99 %.1f us",
                        count.latencyMicros(50),
                        count.latencyMicros(99));
        long stalled = count.publisherStalledMillis();
        return String.format(
                        Locale.ROOT,
                        "%s  %.1f fps  seq %d  frames %d  gaps %d  timeouts %d%s",
                        subscriber.key(),
                        ticker.perSecond(),
                        count.seq(),
                        count.frames(),
                        count.gaps(),
                        count.timeouts(),
                        stamps == null
                                ? ""
                                : "  torn " + (stamps.torn() + stamps.unreadable()) + "  misordered "
                                        + stamps.misordered())
                + (count.damaged() == 0 ? "" : "  damaged " + count.damaged())
                + latency
                + (stalled == 0 ? "" : "  publisher STALLED for " + stalled + " ms")
                + (count.publisherIsIdle() ? "  publisher starting on demand" : "");
    }
}
