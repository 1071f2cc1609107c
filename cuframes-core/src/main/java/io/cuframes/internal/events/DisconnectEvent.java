// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.events;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A subscriber and a publisher have parted. */
@Name("cuframes.Disconnect")
@Label("Disconnected")
public final class DisconnectEvent extends StreamEvent {
    /** The reason where a subscriber was closed. */
    public static final String CLOSED = "CLOSED";

    /** The reason where a publisher's subscriber closed or died. */
    public static final String GONE = "GONE";

    /** The reason where the stream is over. */
    public static final String ENDED = "ENDED";

    @Label("Side")
    @Description("Which end of the connection this process is")
    String side;

    @Label("Subscriber")
    @Description("What the publisher calls the subscriber, at the publisher; empty at the subscriber")
    String subscriber;

    @Label("Reason")
    @Description(
            "At the subscriber how its publisher went (ENDED, FORMAT_CHANGED, STALLED, EVICTED, DIED), or CLOSED if it closed itself; at the publisher GONE if"
                    + " the subscriber closed, died or was cut off, or ENDED if the stream is over")
    String reason;

    private DisconnectEvent() {}

    /** Records an event. */
    public static void record(String key, long epoch, Side side, String subscriber, String reason) {
        DisconnectEvent event = new DisconnectEvent();
        event.of(key, epoch);
        event.side = side.name();
        event.subscriber = subscriber;
        event.reason = reason;
        event.commit();
    }
}
