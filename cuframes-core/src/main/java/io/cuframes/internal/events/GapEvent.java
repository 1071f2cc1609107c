// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.events;

import io.cuframes.SubscriberMode;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A subscriber was given a frame that does not follow the one before. */
@Name("cuframes.Gap")
@Label("Frames Missed")
@Description(
        "Frames that were published and never given to this subscriber: skipped in newest mode, lost in strict mode")
public final class GapEvent extends StreamEvent {
    private static final GapEvent PROBE = new GapEvent();

    @Label("Missed Frames")
    long missed;

    @Label("After Sequence Number")
    @Description("The frame given before; where none was, the newest but one when the subscriber connected")
    long afterSeq;

    @Label("Mode")
    String mode;

    private GapEvent() {}

    /** Records the event, if somebody wants such. */
    public static void record(String key, long epoch, long missed, long afterSeq, SubscriberMode mode) {
        if (!PROBE.isEnabled()) {
            return;
        }
        GapEvent event = new GapEvent();
        event.of(key, epoch);
        event.missed = missed;
        event.afterSeq = afterSeq;
        event.mode = mode.name();
        event.commit();
    }
}
