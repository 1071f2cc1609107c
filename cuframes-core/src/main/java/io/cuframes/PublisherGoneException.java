// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

/** The publisher is gone and the ring holds no further frame for this subscriber. Frames still held stay readable until closed. Its fields are immutable. */
public final class PublisherGoneException extends CuframesException {
    private static final long serialVersionUID = 1L;

    /** How a publisher goes, as far as one subscriber is concerned. Immutable. */
    public enum Reason {
        /** It closed the stream in order. */
        ENDED,
        /** It closed the stream in order, and one of the same key with another format follows. */
        FORMAT_CHANGED,
        /** It did not wait any longer for this strict subscriber, which had not taken a frame for the publisher's grace period. */
        STALLED,
        /** It cut this subscriber off, which leased more frames than it may ({@link Publisher.Builder#maxLeases}): a defect of the subscriber's library. */
        EVICTED,
        /** Its process died, or cut this subscriber off, without a goodbye. */
        DIED
    }

    /** How the publisher went. */
    private final Reason reason;

    /**
     * Creates an exception.
     *
     * @param reason how the publisher went
     * @param message which stream, and after which frame
     */
    public PublisherGoneException(Reason reason, String message) {
        super(ErrorCode.DISCONNECTED, message);
        this.reason = reason;
    }

    /**
     * How the publisher went.
     *
     * @return ended in order, or died
     */
    public Reason reason() {
        return reason;
    }
}
