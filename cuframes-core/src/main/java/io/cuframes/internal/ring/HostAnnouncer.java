// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.os.Futex;

/** Announces frames in host memory: the CPU that wrote the pixels writes the head. */
public final class HostAnnouncer implements Announcer {
    private final RingWriter writer;
    private final long futexAddress;

    /**
     * For one writer.
     *
     * @param writer the ring
     * @param futexAddress of the head's low half
     */
    public HostAnnouncer(RingWriter writer, long futexAddress) {
        this.writer = writer;
        this.futexAddress = futexAddress;
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
    public void announce(long stream, long word) {
        writer.announce(word);
        Faults.reach(FaultPoint.HEAD_ANNOUNCED);
        if (writer.anyoneWaits()) {
            Futex.wakeAll(futexAddress);
        }
        Faults.reach(FaultPoint.SLEEPERS_WOKEN);
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
