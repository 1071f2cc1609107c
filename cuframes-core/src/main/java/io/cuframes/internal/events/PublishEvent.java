// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.events;

import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A frame was published; its duration is that of the call. */
@Name("cuframes.Publish")
@Label("Frame Published")
@Description("The call that names a frame to readers; on a GPU, the queueing of its announcement")
@Enabled(false)
public final class PublishEvent extends StreamEvent {
    private static final PublishEvent PROBE = new PublishEvent();

    @Label("Sequence Number")
    long seq;

    @Label("Slot")
    int slot;

    private PublishEvent() {}

    /** An event that begins now, or null if nobody records such. */
    public static PublishEvent begun() {
        if (!PROBE.isEnabled()) {
            return null;
        }
        PublishEvent event = new PublishEvent();
        event.begin();
        return event;
    }

    /** Ends the event and records it. */
    public void end(String ofKey, long ofEpoch, long ofSeq, int inSlot) {
        of(ofKey, ofEpoch);
        seq = ofSeq;
        slot = inSlot;
        commit();
    }
}
