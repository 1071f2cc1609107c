// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import java.lang.foreign.MemorySegment;

/** Announces frames in host memory: the CPU that wrote the pixels writes the head. */
public final class HostAnnouncer implements Announcer {
    private final RingWriter writer;
    private final ReaderWaker waker;

    /**
     * For one writer.
     *
     * @param segment mapped for writing
     * @param writer the ring
     */
    public HostAnnouncer(MemorySegment segment, RingWriter writer) {
        this.writer = writer;
        this.waker = new ReaderWaker(segment, writer);
    }

    @Override
    public long stream() {
        return 0;
    }

    @Override
    public void require(long stream) {
        // The CPU announces.
    }

    @Override
    public void copied(int slot, long stream) {
        // Nothing is queued.
    }

    @Override
    public void order(int slot, long before, long after) {
        // Nothing is queued.
    }

    @Override
    public boolean awaitQuiet(int slot, long stream) {
        return true;
    }

    @Override
    public void withhold(int slot, long stream) {
        writer.giveBack(slot);
    }

    @Override
    public void lookAtWithheld() {
        // There are none.
    }

    @Override
    public void announce(long stream, long word) {
        writer.announce(word);
        Faults.reach(FaultPoint.HEAD_ANNOUNCED);
        waker.wakeSleepers();
    }

    @Override
    public void requireContext(String waitsFor) {
        // The CPU announces.
    }

    @Override
    public void endBehind(int slot, long stream) {
        // Nothing is queued.
    }

    @Override
    public boolean isDone() {
        return true;
    }

    @Override
    public String diagnose() {
        return "the CPU announces frames at once";
    }

    @Override
    public void close() {
        // Owns nothing.
    }
}
