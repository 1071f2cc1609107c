// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.ring.ControlPage;
import io.cuframes.internal.ring.ReaderSet;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * Says who holds the slots of a ring whose publisher drops frames for want of one: readers that do not close their frames stop the stream for all. At most
 * a line in 10 s. For the server thread.
 */
final class HolderReport {
    static final long PERIOD_NANOS = 10_000_000_000L;

    /** The writer says so once a period by its own clock. */
    private static final long SLACK_NANOS = PERIOD_NANOS / 10;

    private static final int MOST_NAMED = 5;

    private record Holder(ControlPage.Owner owner, int slots, long nanos) {}

    private final StreamKey key;
    private final MemorySegment segment;
    private final int slots;
    private final ReaderSet readers;
    private final System.Logger log;
    private long reported;
    private long reportedNanos = System.nanoTime() - PERIOD_NANOS;

    HolderReport(StreamKey key, MemorySegment segment, int slots, ReaderSet readers, System.Logger log) {
        this.key = key;
        this.segment = segment;
        this.slots = slots;
        this.readers = readers;
        this.log = log;
    }

    /** Looks whether frames were dropped since the last line, and whether one is due. */
    void report() {
        long dropped = Shared.getLongAcquire(segment, SegmentDescriptor.DROPPED_OFFSET);
        long now = System.nanoTime();
        if (dropped == reported || now - reportedNanos < PERIOD_NANOS - SLACK_NANOS) {
            return;
        }
        long more = dropped - reported;
        reported = dropped;
        reportedNanos = now;
        log.log(System.Logger.Level.WARNING, () -> text(more));
    }

    private String text(long more) {
        List<Holder> holders = new ArrayList<>();
        for (ControlPage page : readers.snapshot()) {
            int held = Long.bitCount(page.leasedSlots(slots));
            if (held > 0) {
                holders.add(new Holder(page.owner(), held, page.heldNanos(slots, segment)));
            }
        }
        holders.sort(Comparator.comparingInt(Holder::slots).reversed());
        StringBuilder text =
                new StringBuilder("\"" + key + "\" has dropped " + more + (more == 1 ? " frame" : " frames")
                        + ", since all of its " + slots + " slots are read or being written");
        for (Holder holder : holders.subList(0, Math.min(MOST_NAMED, holders.size()))) {
            text.append("; subscriber ").append(describe(holder));
        }
        if (holders.size() > MOST_NAMED) {
            text.append("; and ").append(holders.size() - MOST_NAMED).append(" more");
        }
        return text + ". Close frames sooner, or publish with more slots or smaller maxLeases";
    }

    private static String describe(Holder holder) {
        ControlPage.Owner owner = holder.owner();
        return owner.number() + " (" + (owner.name().isEmpty() ? "" : owner.name() + ", ")
                + (owner.pid() == 0 ? "a process of another pid namespace" : "process " + owner.pid()) + ") holds "
                + holder.slots()
                + String.format(Locale.ROOT, ", the oldest frame for %.1f s", holder.nanos() / 1e9);
    }
}
