// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.events;

import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Timespan;

/** A subscriber was given a frame. */
@Name("cuframes.Receive")
@Label("Frame Received")
@Description("A subscriber took a frame under a lease")
@Enabled(false)
public final class ReceiveEvent extends StreamEvent {
    private static final ReceiveEvent PROBE = new ReceiveEvent();

    @Label("Sequence Number")
    long seq;

    @Label("Latency")
    @Description("From the publish call to the lease")
    @Timespan(Timespan.NANOSECONDS)
    long latency;

    @Label("Missed Frames")
    @Description("Frames published since the one given before, and never given to this subscriber")
    long missed;

    private ReceiveEvent() {}

    /** Records the event, if somebody wants such. */
    public static void record(String key, long epoch, long seq, long latencyNanos, long missed) {
        if (!PROBE.isEnabled()) {
            return;
        }
        ReceiveEvent event = new ReceiveEvent();
        event.of(key, epoch);
        event.seq = seq;
        event.latency = latencyNanos;
        event.missed = missed;
        event.commit();
    }
}
