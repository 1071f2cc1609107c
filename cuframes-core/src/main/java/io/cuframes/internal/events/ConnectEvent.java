// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.events;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A subscriber and a publisher have found each other. */
@Name("cuframes.Connect")
@Label("Connected")
@Description(
        "A subscriber reads a publisher's frames from here on; at the subscriber, the duration is that of finding it and mapping its ring")
public final class ConnectEvent extends StreamEvent {
    @Label("Side")
    @Description("Which end of the connection this process is")
    String side;

    @Label("Peer")
    @Description("The process id of the other end")
    long peer;

    @Label("Subscriber")
    @Description("What the publisher calls the subscriber, at the publisher; empty at the subscriber")
    String subscriber = "";

    private ConnectEvent() {}

    /** A subscriber's event that begins now. */
    public static ConnectEvent begun() {
        ConnectEvent event = new ConnectEvent();
        event.begin();
        return event;
    }

    /** Ends a subscriber's event and records it. */
    public void end(String ofKey, long ofEpoch, long publisherPid) {
        of(ofKey, ofEpoch);
        side = Side.SUBSCRIBER.name();
        peer = publisherPid;
        commit();
    }

    /** Records a publisher's event. */
    public static void record(String key, long epoch, long subscriberPid, String title) {
        ConnectEvent event = new ConnectEvent();
        event.of(key, epoch);
        event.side = Side.PUBLISHER.name();
        event.peer = subscriberPid;
        event.subscriber = title;
        event.commit();
    }
}
