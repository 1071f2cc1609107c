// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

/** What a subscriber does until it has a frame, in its order. */
public enum ReadStep implements Probe {
    /** The name of the stream. */
    KEY("key"),
    /** Where its socket is looked for. */
    PLACES("places"),
    /** Whether it is there. */
    SOCKET("socket"),
    /** Whether this user may connect to it, as far as the modes of files say. */
    PERMISSION("permission"),
    /** Whether somebody listens. */
    LISTENER("listener"),
    /** Whether that is a publisher of this protocol. */
    PROTOCOL("protocol"),
    /** Whether it admits this user. */
    USER("user"),
    /** What it publishes, and whether it does. */
    STREAM("stream"),
    /** Whether its clock is this process's. */
    CLOCK("clock"),
    /** Whether it admits one more. */
    ROOM("room"),
    /** Whether this process has what the ring's transport needs. */
    TRANSPORT("transport"),
    /** Subscribing. */
    SUBSCRIPTION("subscription"),
    /** Reading. */
    FRAME("frame");

    private final String title;

    ReadStep(String title) {
        this.title = title;
    }

    @Override
    public String title() {
        return title;
    }
}
