// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.events;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A publisher had no slot for a frame. */
@Name("cuframes.Drop")
@Label("Frame Not Published")
@Description("A publisher's acquire found no slot that may be overwritten")
public final class DropEvent extends StreamEvent {
    /** Why there was no slot. */
    public enum Cause {
        /** Every slot is leased: counts as dropped. */
        LEASED,
        /** A strict subscriber has not read the oldest frame yet: counts as refused. */
        REFUSED
    }

    private static final DropEvent PROBE = new DropEvent();

    @Label("Cause")
    @Description("LEASED: readers hold every slot; REFUSED: a strict subscriber has yet to read the oldest frame")
    String cause;

    @Label("After Sequence Number")
    @Description("The frame published last")
    long afterSeq;

    private DropEvent() {}

    /** Records the event, if somebody wants such. */
    public static void record(String key, long epoch, Cause cause, long afterSeq) {
        if (!PROBE.isEnabled()) {
            return;
        }
        DropEvent event = new DropEvent();
        event.of(key, epoch);
        event.cause = cause.name();
        event.afterSeq = afterSeq;
        event.commit();
    }
}
