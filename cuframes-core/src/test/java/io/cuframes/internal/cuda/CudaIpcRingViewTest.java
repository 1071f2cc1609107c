// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SlotDescriptor;
import io.cuframes.internal.protocol.SlotPlace;
import io.cuframes.testing.Child;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.StandInTest;
import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A CUDA_IPC ring whose publisher lies about its allocations: what CUDA says of them counts. */
@StandInTest
class CudaIpcRingViewTest {
    private static final int SLOTS = 4;
    private static final long GIB = 1L << 30;

    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void cleanUp() {
        stream.close();
    }

    private static void refused(SlotPlace[] places, String... fragments) {
        CuframesException refused =
                assertThrows(CuframesException.class, () -> new CudaIpcRingView(Cuda.device(0), places, "of \"x\""));
        assertEquals(ErrorCode.PROTOCOL, refused.code(), refused.getMessage());
        for (String fragment : fragments) {
            assertTrue(refused.getMessage().contains(fragment), refused.getMessage());
        }
    }

    private static SlotPlace[] with(SlotPlace[] places, int slot, long offset, long length, long allocation) {
        SlotPlace[] changed = places.clone();
        changed[slot] = new SlotPlace(offset, length, allocation, places[slot].handle());
        return changed;
    }

    /** Every lie about a ring is refused, and the truth is not. */
    private static void lie(SlotPlace[] places) {
        SlotPlace last = places[SLOTS - 1];
        long all = last.allocationLength();
        refused(with(places, 3, last.offset(), last.length(), GIB), "slot 3", "of " + GIB + " bytes", "has " + all);
        refused(with(places, 2, GIB, last.length(), all), "slot 2 at offset " + GIB, "has " + all + " bytes");
        refused(with(places, 0, 0, all + 1, all), "slot 0 at offset 0 with " + (all + 1) + " bytes");
        refused(with(places, 1, Long.MAX_VALUE, last.length(), all), "slot 1");
        refused(with(places, 1, -1, last.length(), all), "slot 1");
        refused(with(places, 1, 0, -1, all), "slot 1");
        new CudaIpcRingView(Cuda.device(0), places, "of \"x\"").close();
    }

    @Test
    void aRingOfThisProcessIsLookedAt() {
        Cuda.load();
        try (CudaIpcRing ring = new CudaIpcRing(Cuda.device(0), SLOTS, SegmentDescriptor.PAGE)) {
            SlotPlace[] places = new SlotPlace[SLOTS];
            for (int slot = 0; slot < SLOTS; slot++) {
                places[slot] = ring.place(slot);
            }
            lie(places);
        }
    }

    private Child publisher() {
        Child child = Child.start(
                PublisherProcess.class, stream.key(), stream.directory(), Transport.CUDA_IPC, SLOTS, 64, 64);
        assertEquals("ready CUDA_IPC", child.answer());
        return child;
    }

    private MemorySegment segment(Arena arena) throws IOException {
        try (FileChannel file = FileChannel.open(stream.segment(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return file.map(FileChannel.MapMode.READ_WRITE, 0, file.size(), arena);
        }
    }

    @Test
    void aRingOfAnotherProcessIsLookedAt() throws IOException {
        Cuda.load();
        try (Child publisher = publisher();
                Arena arena = Arena.ofConfined()) {
            MemorySegment segment = segment(arena);
            SlotPlace[] places = new SlotPlace[SLOTS];
            for (int slot = 0; slot < SLOTS; slot++) {
                places[slot] =
                        SlotPlace.read(segment.asSlice(SegmentDescriptor.slotOffset(slot), SlotDescriptor.LENGTH));
            }
            lie(places);
            assertEquals("published 1", publisher.ask("publish 1"));
        }
    }

    /** The header, which knows nothing of CUDA, has nothing to say against buffers of an application's in an allocation of any length. */
    @Test
    void aSubscriberRefusesBuffersThatLieBeyondTheirAllocation() throws IOException {
        try (Child publisher = publisher();
                Arena arena = Arena.ofConfined()) {
            MemorySegment segment = segment(arena);
            segment.set(ValueLayout.JAVA_INT, SegmentDescriptor.OWNERSHIP_OFFSET, 2);
            segment.set(ValueLayout.JAVA_LONG, SegmentDescriptor.SLOT_STRIDE_OFFSET, 0);
            long at = SegmentDescriptor.slotOffset(3);
            segment.set(ValueLayout.JAVA_LONG, at + SlotDescriptor.OFFSET_OFFSET, GIB / 2);
            segment.set(ValueLayout.JAVA_LONG, at + SlotDescriptor.ALLOCATION_LENGTH_OFFSET, GIB);
            CuframesException refused = assertThrows(
                    CuframesException.class,
                    () -> Subscriber.builder(stream.key())
                            .socketDirectory(stream.directory())
                            .open());
            assertEquals(ErrorCode.PROTOCOL, refused.code(), refused.getMessage());
            assertTrue(refused.getMessage().contains("slot 3 at offset " + GIB / 2), refused.getMessage());
            assertTrue(refused.getMessage().contains(stream.key()), refused.getMessage());
            assertEquals("published 1", publisher.ask("publish 1"));
        }
    }
}
