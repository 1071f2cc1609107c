// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.Frame;
import java.time.Instant;
import java.util.Locale;
import java.util.LongSummaryStatistics;

/**
 * How long after they were taken frames reached this reader: the camera's clock compared with this host's. Less than nothing where the camera's is
 * ahead. For one thread.
 */
final class CaptureLatency {
    private static final double NANOS_PER_MILLI = 1e6;

    private final LongSummaryStatistics nanos = new LongSummaryStatistics();

    /** Takes note of a frame that is here now. */
    void take(Frame frame) {
        if (frame.hasCaptureTime()) {
            Instant now = Instant.now();
            nanos.accept(now.getEpochSecond() * 1_000_000_000 + now.getNano() - frame.captureTimeNanos());
        }
    }

    /** Empty if no frame had a capture time. */
    String text() {
        return nanos.getCount() == 0
                ? ""
                : String.format(
                        Locale.ROOT,
                        "%ncapture to next, the camera's clock against this host's: mean %.1f ms, min %.1f ms, max %.1f ms, of %d frames",
                        nanos.getAverage() / NANOS_PER_MILLI,
                        nanos.getMin() / NANOS_PER_MILLI,
                        nanos.getMax() / NANOS_PER_MILLI,
                        nanos.getCount());
    }

    /** Adds what there is; null if no frame had a capture time. */
    void putInto(JsonLine line) {
        if (nanos.getCount() == 0) {
            line.put("capture_latency_ms", (String) null);
            return;
        }
        line.beginObject("capture_latency_ms")
                .put("frames", nanos.getCount())
                .putTenths("mean", nanos.getAverage() / NANOS_PER_MILLI)
                .putTenths("min", nanos.getMin() / NANOS_PER_MILLI)
                .putTenths("max", nanos.getMax() / NANOS_PER_MILLI)
                .end();
    }
}
