// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.Ownership;
import io.cuframes.PublishPolicy;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import io.cuframes.internal.protocol.DeviceUuid;
import java.util.List;

/**
 * What a publisher tells an observer of its stream (docs/protocol.md, section 6.8). What it says is brought into the range that makes sense, and
 * not trusted beyond that.
 *
 * @param key the stream
 * @param minor of the publisher's protocol version; its major is this library's
 * @param pid the publisher's, in its own pid namespace
 * @param epoch names this incarnation of the stream
 * @param createdNanos wall time
 * @param ended whether the stream is over
 * @param idle whether it publishes nothing on purpose
 * @param shape what its frames are and where they lie
 * @param counts what it has counted
 * @param times when its frames were published
 * @param maxSubscribers admitted at a time
 * @param maxLeases slots that one subscriber may lease
 * @param readers who is admitted, in the order in which they came
 */
public record Observation(
        String key,
        int minor,
        int pid,
        long epoch,
        long createdNanos,
        boolean ended,
        boolean idle,
        Shape shape,
        Counts counts,
        Times times,
        int maxSubscribers,
        int maxLeases,
        List<Reader> readers) {
    /**
     * What is constant within an epoch.
     *
     * @param pixelFormat its name; "code N" for one that this library does not know
     * @param width pixels
     * @param height pixels
     * @param transport of the ring
     * @param device that holds the ring; {@link DeviceUuid#NONE} for host memory
     * @param ownership whose the buffers are
     * @param policy what happens where no slot is free
     * @param slots of the ring
     * @param frameBytes of one frame, its rows' padding included
     * @param ringBytes of the ring
     */
    public record Shape(
            String pixelFormat,
            int width,
            int height,
            Transport transport,
            DeviceUuid device,
            Ownership ownership,
            PublishPolicy policy,
            int slots,
            long frameBytes,
            long ringBytes) {}

    /**
     * Counts since the epoch began.
     *
     * @param published frames handed to the transport
     * @param head {@code seq} of the newest complete frame, 0 before the first
     * @param dropped frames for which no slot was free of leases
     * @param refused frames that a strict subscriber kept out
     * @param stalled strict subscribers that were given up
     * @param damaged frames published that are marked as damaged, at most 4294967295; 0 from a publisher of protocol 1.0, which does not count them
     * @param subscribers that read now
     */
    public record Counts(
            long published, long head, long dropped, long refused, long stalled, long damaged, int subscribers) {}

    /**
     * Monotonic times of the publisher's machine, nanoseconds; only their differences mean something here.
     *
     * @param now when this was told
     * @param newest when frame {@code head} was published; 0 where it is not known
     * @param oldestSeq the oldest frame of the ring; 0 where there is none
     * @param oldest when that was published
     */
    public record Times(long now, long newest, long oldestSeq, long oldest) {}

    /**
     * One that is admitted.
     *
     * @param number that the publisher gave it
     * @param pid as the kernel tells the publisher; 0 where that does not see it
     * @param mode which frames it asks for
     * @param ready whether it has mapped the ring and reads
     * @param waiting whether it sleeps until the next frame
     * @param stalled whether the publisher has given it up
     * @param cursor {@code seq} of the frame it took last, at most {@code published}
     * @param leasedSlots slots that it reads, a bit each
     * @param heldNanos how long ago the oldest frame was published that it reads, to a tenth of a second
     * @param received frames it was given
     * @param missed frames it was never given
     * @param timeouts times it asked for a frame and none came in time
     * @param name what it calls itself, printable ASCII
     * @param device the GPU that it says it reads on
     */
    public record Reader(
            int number,
            int pid,
            SubscriberMode mode,
            boolean ready,
            boolean waiting,
            boolean stalled,
            long cursor,
            long leasedSlots,
            long heldNanos,
            long received,
            long missed,
            long timeouts,
            String name,
            DeviceUuid device) {}

    /** Slots that some subscriber reads now. */
    public int slotsInUse() {
        return Long.bitCount(readers.stream().mapToLong(Reader::leasedSlots).reduce(0, (some, more) -> some | more));
    }

    /** Frames that a reader is behind. */
    public long lag(Reader reader) {
        return reader.ready() ? counts.published() - reader.cursor() : 0;
    }

    /** How long ago the newest frame was published, nanoseconds; -1 where there is none, or it is not known. */
    public long ageNanos() {
        return times.newest() == 0 ? -1 : Math.max(0, times.now() - times.newest());
    }

    /** Frames per second, by the times of the frames that are in the ring; NaN where there are not two. */
    public double ringRate() {
        long frames = counts.head() - times.oldestSeq();
        long nanos = times.newest() - times.oldest();
        return times.newest() == 0 || times.oldestSeq() == 0 || frames <= 0 || nanos <= 0
                ? Double.NaN
                : frames * 1e9 / nanos;
    }

    /** Frames per second since an earlier observation; NaN where another stream has begun in between. */
    public double rateSince(Observation earlier) {
        if (earlier.epoch != epoch) {
            return Double.NaN;
        }
        long frames = counts.head() - earlier.counts.head();
        if (frames <= 0) {
            return 0;
        }
        // From frame to frame, where both times are known: the interval then begins and ends with one.
        boolean exact = earlier.times.newest() != 0 && times.newest() > earlier.times.newest();
        long nanos = exact ? times.newest() - earlier.times.newest() : Math.max(1, times.now() - earlier.times.now());
        return frames * 1e9 / nanos;
    }
}
