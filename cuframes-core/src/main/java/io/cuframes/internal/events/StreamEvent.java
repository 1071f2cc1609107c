// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.StackTrace;
import jdk.jfr.Unsigned;

/**
 * An event of one stream in a flight recording. Those that can come with every frame are off unless a recording asks for them, those that tell of a
 * change are on. An event class asks its own probe before it makes an event: where nobody records, that is one test of a field and no allocation.
 * Who uses one asks {@link Recordings} first.
 */
@Category("cuframes")
@StackTrace(false)
abstract class StreamEvent extends Event {
    @Label("Key")
    @Description("The stream's name on this host")
    String key;

    @Label("Epoch")
    @Description("Names the publisher's incarnation")
    @Unsigned
    long epoch;

    StreamEvent() {}

    void of(String ofKey, long ofEpoch) {
        key = ofKey;
        epoch = ofEpoch;
    }
}
