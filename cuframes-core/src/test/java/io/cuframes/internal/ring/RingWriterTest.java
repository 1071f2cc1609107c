// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.SubscriberMode;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.HeadWord;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.protocol.SlotDescriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which slot the writer takes, whatever was published, given back, withdrawn, leased and chosen before. */
class RingWriterTest {
    private static final int STEPS = 20_000;

    /** What the writer is to do, said in the plainest way. */
    private static final class Plain {
        final long[] holds;
        final boolean[] leased;
        final boolean[] taken;

        Plain(int slots) {
            holds = new long[slots];
            leased = new boolean[slots];
            taken = new boolean[slots];
        }

        int expected() {
            int best = RingWriter.ALL_LEASED;
            for (int slot = 0; slot < holds.length; slot++) {
                if (!taken[slot] && holds[slot] == 0) {
                    return slot;
                }
                boolean able = !taken[slot] && !leased[slot];
                if (able && (best < 0 || holds[slot] < holds[best])) {
                    best = slot;
                }
            }
            return best;
        }
    }

    /** Otherwise the server, which removes a page, would wait for the end of that scan for ever. */
    @Test
    void aScanThatFailsIsOver() throws InterruptedException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment segment = arena.allocate(SegmentDescriptor.length(2), Long.BYTES);
            for (boolean strict : new boolean[] {false, true}) {
                ReaderSet readers = new ReaderSet();
                RingWriter writer = strict
                        ? new RingWriter(segment, 2, readers, 1_000_000_000)
                        : new RingWriter(segment, 2, readers);
                for (int frame = 0; frame < 2; frame++) {
                    writer.announce(writer.name(writer.take(), 0, 0, 0, 0, 0));
                }
                Arena unmapped = Arena.ofShared();
                ControlPage page = new ControlPage(
                        unmapped,
                        unmapped.allocate(ControlDescriptor.LENGTH, Long.BYTES),
                        new ControlPage.Owner(0, "reader", 1, SubscriberMode.STRICT_ORDER, 1));
                page.setReady();
                readers.add(page);
                unmapped.close(); // whatever is read of it throws
                for (Executable scan : List.<Executable>of(
                        writer::take, () -> writer.take(0), writer::isLeaseAwaited, writer::anyoneWaits)) {
                    assertThrows(IllegalStateException.class, scan);
                }
                Thread server = Thread.ofPlatform().daemon().start(() -> readers.remove(page));
                assertTrue(server.join(Duration.ofSeconds(30)), "the server waits for a scan that nobody makes");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 7, 64})
    void theOldestFrameThatNobodyLeasesGivesItsSlot(int slots) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(SegmentDescriptor.length(slots), Long.BYTES);
            MemorySegment control = arena.allocate(ControlDescriptor.LENGTH, Long.BYTES);
            ReaderSet readers = new ReaderSet();
            readers.add(new ControlPage(
                    arena, control, new ControlPage.Owner(0, "reader", 1, SubscriberMode.NEWEST_ONLY, slots)));
            RingWriter writer = new RingWriter(segment, slots, readers);
            Plain plain = new Plain(slots);
            List<Integer> taken = new ArrayList<>();
            Random random = new Random(slots);
            long seq = 0;
            for (int step = 0; step < STEPS; step++) {
                int lot = random.nextInt(10);
                if (lot < 4) {
                    int expected = plain.expected();
                    assertEquals(expected, writer.take(), "step " + step);
                    note(plain, taken, expected);
                } else if (lot == 4) {
                    int slot = random.nextInt(slots);
                    if (!plain.taken[slot]) {
                        int expected = plain.leased[slot] ? RingWriter.ALL_LEASED : slot;
                        assertEquals(expected, writer.take(slot), "step " + step);
                        note(plain, taken, expected);
                    }
                } else if (lot < 8 && !taken.isEmpty()) {
                    Collections.shuffle(taken, random);
                    int slot = taken.removeLast();
                    plain.taken[slot] = false;
                    long word = HeadWord.of(seq + 1, slot);
                    switch (random.nextInt(8)) {
                        case 0 -> {
                            writer.giveBack(slot);
                            plain.holds[slot] = 0;
                        }
                        case 1 -> {
                            assertEquals(word, writer.name(slot, 0, 0, 0, 0, 0));
                            writer.withdraw(word);
                            plain.holds[slot] = 0;
                        }
                        default -> {
                            assertEquals(word, writer.name(slot, 0, 0, 0, 0, 0));
                            writer.announce(word);
                            plain.holds[slot] = ++seq;
                        }
                    }
                } else {
                    int slot = random.nextInt(slots);
                    if (!plain.taken[slot] && plain.holds[slot] != 0) {
                        plain.leased[slot] = random.nextInt(3) == 0;
                        Shared.setLongRelease(
                                control, ControlDescriptor.leaseOffset(slot), plain.leased[slot] ? seq : 0);
                    }
                }
            }
        }
    }

    /** Its slot, number and time are another frame's next, and what was counted of it is not counted. */
    @Test
    void aWithdrawnFrameDoesNotCountAsDamaged() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(SegmentDescriptor.length(4), Long.BYTES);
            RingWriter writer = new RingWriter(segment, 4, new ReaderSet());
            writer.announce(writer.name(writer.take(), 0, 0, 0, SlotDescriptor.DAMAGED | SlotDescriptor.KEY_FRAME, 0));
            assertEquals(1, writer.damaged());
            writer.withdraw(writer.name(writer.take(), 0, 0, 0, SlotDescriptor.DAMAGED, 0));
            assertEquals(1, writer.damaged());
            assertEquals(1, Shared.getLongAcquire(segment, SegmentDescriptor.DAMAGED_OFFSET));
            writer.withdraw(writer.name(writer.take(), 0, 0, 0, SlotDescriptor.KEY_FRAME, 0));
            assertEquals(1, writer.damaged());
            writer.announce(writer.name(writer.take(), 0, 0, 0, SlotDescriptor.DAMAGED, 0));
            assertEquals(2, writer.damaged());
            assertEquals(2, Shared.getLongAcquire(segment, SegmentDescriptor.DAMAGED_OFFSET));
            assertEquals(2, writer.published());
        }
    }

    private static void note(Plain plain, List<Integer> taken, int slot) {
        if (slot >= 0) {
            plain.taken[slot] = true;
            taken.add(slot);
        }
    }
}
