// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.FrameFormat;
import io.cuframes.Subscriber;
import java.util.Locale;

/** The result of a count, as text and as JSON. */
final class CountReport {
    private final Subscriber subscriber;
    private final FrameCount count;

    private CountReport(Subscriber subscriber, FrameCount count) {
        this.subscriber = subscriber;
        this.count = count;
    }

    static CountReport of(Subscriber subscriber, FrameCount count) {
        return new CountReport(subscriber, count);
    }

    /** What a stream's frames are, in words. */
    static String describe(Subscriber subscriber) {
        FrameFormat format = subscriber.format();
        return format.pixelFormat() + " " + format.width() + "x" + format.height() + " through "
                + subscriber.describe();
    }

    /** What the stamps said, or null if they were not checked. */
    StampCheck stamps() {
        return count.stamps();
    }

    String text() {
        String rate = count.frames() < 2
                ? ""
                : String.format(Locale.ROOT, " in %.1f s, %.1f fps", count.seconds(), count.fps());
        String latency = count.frames() == 0
                ? ""
                : String.format(
                        Locale.ROOT,
                        "%nlatency, publish to next: p50 %.1f us, p99 %.1f us, max %.1f us",
                        count.latencyMicros(50),
                        count.latencyMicros(99),
                        count.latencyMicros(100));
        return subscriber.key() + ": " + count.frames() + " frames" + rate + ", " + describe(subscriber) + "\n"
                + "gaps " + count.gaps() + ", timeouts " + count.timeouts() + damaged() + reconnects()
                + (stamps() == null ? "" : ", " + stamps()) + latency
                + count.captureLatency().text();
    }

    private String damaged() {
        return count.damaged() == 0 ? "" : ", damaged " + count.damaged();
    }

    private String reconnects() {
        long losses = count.epochs().losses();
        return losses == 0 ? "" : ", losses " + losses + ", reconnects " + subscriber.reconnects();
    }

    JsonLine json() {
        FrameFormat format = subscriber.format();
        JsonLine line = JsonLine.begin()
                .put("key", subscriber.key())
                .put("transport", subscriber.transport().name())
                .put("device", subscriber.deviceOrdinal())
                .put("format", format.pixelFormat().name())
                .put("width", format.width())
                .put("height", format.height());
        putCounts(line, count, count.fps());
        line.put("reconnects", subscriber.reconnects());
        count.epochs().putInto(line);
        return line.end();
    }

    /** The members that change while a count goes on. */
    static JsonLine putCounts(JsonLine line, FrameCount count, double fps) {
        StampCheck stamps = count.stamps();
        line.put("frames", count.frames())
                .put("gaps", count.gaps())
                .put("damaged", count.damaged())
                .put("torn", stamps == null ? 0 : stamps.torn() + stamps.unreadable())
                .put("verified", stamps != null);
        if (stamps != null) {
            line.put("unreadable", stamps.unreadable())
                    .put("misordered", stamps.misordered())
                    .put("restarts", stamps.restarts());
        }
        line.put("timeouts", count.timeouts())
                .put("publisher_stalled_ms", count.publisherStalledMillis())
                .put("publisher_idle", count.publisherIsIdle())
                .putTenths("fps", fps)
                .beginObject("latency_us")
                .putTenths("p50", count.latencyMicros(50))
                .putTenths("p99", count.latencyMicros(99))
                .putTenths("max", count.latencyMicros(100))
                .end();
        count.captureLatency().putInto(line);
        return line;
    }
}
