// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.SubscriberLag;
import io.cuframes.SubscriberMode;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SlotDescriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A control page is what a subscriber wrote there, whatever that is. */
class ControlPageTest {
    private static final int SLOTS = 6;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment bytes = arena.allocate(ControlDescriptor.LENGTH, 4096);
    private final ControlPage page =
            new ControlPage(arena, bytes, new ControlPage.Owner(7, "one", 42, SubscriberMode.STRICT_ORDER, SLOTS));

    private final MemorySegment segment = arena.allocate(SegmentDescriptor.length(SLOTS), 4096);

    private void set(long offset, long value) {
        bytes.set(ValueLayout.JAVA_LONG, offset, value);
    }

    @Test
    void honestCountsAreTakenAsTheyAre() {
        page.setReady();
        set(ControlDescriptor.CURSOR_OFFSET, 90);
        set(ControlDescriptor.RECEIVED_OFFSET, 70);
        set(ControlDescriptor.MISSED_OFFSET, 20);
        set(ControlDescriptor.TIMEOUTS_OFFSET, 1000);
        set(ControlDescriptor.leaseOffset(0), 89);
        set(ControlDescriptor.leaseOffset(SLOTS - 1), 90);
        set(ControlDescriptor.leaseOffset(SLOTS), 91); // no slot of this ring
        bytes.set(ValueLayout.JAVA_INT, ControlDescriptor.WAITING_OFFSET, 1);
        assertEquals(
                new SubscriberLag(7, "one", 42, SubscriberMode.STRICT_ORDER, 90, 10, 2, 70, 20, 1000, true, false, 0),
                page.lag(100, SLOTS, segment));
        assertEquals(1 | 1L << (SLOTS - 1), page.leasedSlots(SLOTS));
    }

    @Test
    void theOldestFrameThatIsHeldCounts() {
        long second = 1_000_000_000L;
        long now = System.nanoTime();
        for (int slot = 0; slot < 3; slot++) {
            long at = SegmentDescriptor.slotOffset(slot);
            segment.set(ValueLayout.JAVA_LONG, at + SlotDescriptor.SEQ_OFFSET, slot + 1);
            segment.set(
                    ValueLayout.JAVA_LONG, at + SlotDescriptor.PUBLISH_TIME_OFFSET, now - (100 - 30L * slot) * second);
        }
        assertEquals(0, page.heldNanos(SLOTS, segment));
        set(ControlDescriptor.leaseOffset(2), 3);
        set(ControlDescriptor.leaseOffset(0), 99); // not the frame that is there
        long held = page.heldNanos(SLOTS, segment);
        assertTrue(held >= 40 * second && held < 70 * second, held + " ns");
        set(ControlDescriptor.leaseOffset(1), 2);
        assertTrue(page.heldNanos(SLOTS, segment) >= 70 * second);
    }

    @Test
    void nonsenseIsBroughtIntoRange() {
        page.setReady();
        for (long nonsense : new long[] {101, Long.MAX_VALUE, Long.MIN_VALUE, -1}) {
            set(ControlDescriptor.CURSOR_OFFSET, nonsense);
            set(ControlDescriptor.RECEIVED_OFFSET, nonsense);
            set(ControlDescriptor.MISSED_OFFSET, nonsense);
            set(ControlDescriptor.TIMEOUTS_OFFSET, nonsense);
            SubscriberLag lag = page.lag(100, SLOTS, segment);
            assertEquals(100, lag.cursor());
            assertEquals(0, lag.lag());
            assertEquals(100, lag.received());
            assertEquals(100, lag.missed());
            assertEquals(nonsense < 0 ? Long.MAX_VALUE : nonsense, lag.timeouts());
        }
    }

    @Test
    void noBytesGiveANegativeNumber() {
        page.setReady();
        Random random = new Random(1);
        for (int i = 0; i < 1000; i++) {
            for (long offset = 0; offset < ControlDescriptor.LENGTH; offset += Long.BYTES) {
                set(offset, random.nextLong() >> random.nextInt(Long.SIZE));
            }
            long published = random.nextInt(1000);
            SubscriberLag lag = page.lag(published, SLOTS, segment);
            assertTrue(lag.cursor() >= 0 && lag.lag() >= 0 && lag.cursor() + lag.lag() == published, lag.toString());
            assertTrue(lag.received() >= 0 && lag.missed() >= 0 && lag.timeouts() >= 0, lag.toString());
            assertTrue(lag.heldLeases() >= 0 && lag.heldLeases() <= SLOTS, lag.toString());
            assertEquals(7, lag.number(), "the publisher's own word");
        }
    }

    @Test
    void aPageThatIsNotReadYetOrAnyMoreIsNobodys() {
        set(ControlDescriptor.leaseOffset(1), 5);
        assertNull(page.lag(100, SLOTS, segment), "not before READY");
        assertEquals(2, page.leasedSlots(SLOTS), "though its leases count");
        page.setReady();
        page.close();
        assertNull(page.lag(100, SLOTS, segment));
        assertEquals(0, page.leasedSlots(SLOTS));
    }
}
