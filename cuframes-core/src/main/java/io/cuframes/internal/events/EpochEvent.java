// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.events;

import io.cuframes.FrameFormat;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Unsigned;

/** A stream goes on, or begins, with another epoch. */
@Name("cuframes.Epoch")
@Label("Epoch Begun")
@Description("A publisher opened a ring, or a subscriber mapped one: frames of this epoch and format follow")
public final class EpochEvent extends StreamEvent {
    @Label("Side")
    @Description("Which end of the connection this process is")
    String side;

    @Label("Previous Epoch")
    @Description("The one before, of this publisher or subscriber; 0 for its first")
    @Unsigned
    long previousEpoch;

    @Label("Format")
    String format;

    private EpochEvent() {}

    /** Records an event. */
    public static void record(String key, long epoch, Side side, long previousEpoch, FrameFormat format) {
        EpochEvent event = new EpochEvent();
        event.of(key, epoch);
        event.side = side.name();
        event.previousEpoch = previousEpoch;
        event.format = format.pixelFormat() + " " + format.width() + "x" + format.height();
        event.commit();
    }
}
