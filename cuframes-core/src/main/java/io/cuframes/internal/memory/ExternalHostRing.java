// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.memory;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Ownership;
import io.cuframes.Transport;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Mapping;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.DeviceUuid;
import io.cuframes.internal.protocol.RingLayout;
import io.cuframes.internal.protocol.SlotPlace;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A ring of buffers that the application has in a memfd: subscribers are sent the memfd, and what is written to a buffer is what they read.
 * Nothing is copied, and nothing is unmapped here.
 */
public final class ExternalHostRing implements RingMemory {
    private static final String WHAT_TO_DO =
            ": take it from a SharedBuffer, or from a shared, writable mapping of a memfd made with MFD_ALLOW_SEALING";

    private final RingLayout layout;
    private final MemorySegment[] buffers;
    private final long slotBytes;
    private final int alignment;

    /** The mapping that each buffer begins in. */
    private final Mapping[] mappings;

    private final Descriptor memfd;

    /**
     * Finds the memfd of the buffers and seals it.
     *
     * @param key for messages
     * @param buffers one for each slot
     * @param slotBytes bytes of each
     * @param alignment what their addresses must be multiples of
     * @throws CuframesException code INVALID_ARGUMENT for a buffer that cannot be a slot
     */
    public ExternalHostRing(String key, List<MemorySegment> buffers, long slotBytes, int alignment) {
        this.slotBytes = slotBytes;
        this.alignment = alignment;
        this.buffers = new MemorySegment[buffers.size()];
        this.mappings = new Mapping[buffers.size()];
        List<Mapping> all = Mapping.all();
        for (int slot = 0; slot < mappings.length; slot++) {
            this.buffers[slot] = slice(slot, buffers.get(slot));
            mappings[slot] = mappingOf(slot, all);
        }
        requireOneMemfd();
        this.memfd = mappings[0].openMemfd();
        if (memfd == null) {
            throw refusal(0, "in a memfd of which no descriptor is open: close it after the publisher is opened only");
        }
        try {
            long length = Posix.status(memfd, "the registered memfd").size();
            this.layout =
                    new RingLayout(Transport.HOST, Ownership.EXTERNAL, mappings.length, 0, length, DeviceUuid.NONE);
            requireRoom();
            for (int slot = 0; slot < mappings.length; slot++) {
                Posix.reserve(memfd, offset(slot), slotBytes, "slot " + slot + " of \"" + key + "\"");
            }
            seal();
        } catch (Throwable e) {
            Closing.undo(e, memfd);
            throw e;
        }
    }

    private MemorySegment slice(int slot, MemorySegment buffer) {
        if (!buffer.isNative()) {
            throw refusal(slot, "on the Java heap, which other processes cannot map" + WHAT_TO_DO);
        }
        if (!buffer.scope().isAlive()) {
            throw refusal(slot, "memory that is freed: close its arena after the publisher only");
        }
        if (buffer.isReadOnly()) {
            throw refusal(slot, "read-only, and frames are written there");
        }
        if (buffer.byteSize() < slotBytes) {
            throw refusal(slot, buffer.byteSize() + " bytes long, and a frame takes " + slotBytes);
        }
        if (buffer.address() % alignment != 0) {
            throw refusal(
                    slot,
                    "at 0x" + Long.toHexString(buffer.address()) + ", not a multiple of the " + alignment
                            + " bytes of the format's components");
        }
        return buffer.asSlice(0, slotBytes);
    }

    private Mapping mappingOf(int slot, List<Mapping> all) {
        long address = buffers[slot].address();
        String at = "at 0x" + Long.toHexString(address) + ", ";
        Mapping first = find(address, all);
        if (first == null) {
            throw refusal(slot, at + "which is not mapped" + WHAT_TO_DO);
        }
        if (!first.isShared()) {
            throw refusal(slot, at + "memory of this process alone (" + describe(first) + ")" + WHAT_TO_DO);
        }
        if (!first.isMemfd()) {
            throw refusal(
                    slot, at + "a mapping of " + first.path() + ", which is not a memfd and could shrink" + WHAT_TO_DO);
        }
        if (!first.isWritable()) {
            throw refusal(slot, at + "a mapping that is not writable" + WHAT_TO_DO);
        }
        Mapping last = first;
        while (!last.contains(address + slotBytes - 1)) { // the kernel splits mappings where their properties change
            Mapping next = find(last.end(), all);
            if (next == null || !next.follows(last)) {
                throw refusal(slot, at + "not in one mapping to its end" + WHAT_TO_DO);
            }
            last = next;
        }
        return first;
    }

    private static Mapping find(long address, List<Mapping> all) {
        for (Mapping mapping : all) {
            if (mapping.contains(address)) {
                return mapping;
            }
        }
        return null;
    }

    private static String describe(Mapping mapping) {
        return mapping.path().isEmpty() ? "anonymous" : mapping.path();
    }

    private void requireOneMemfd() {
        for (int slot = 0; slot < mappings.length; slot++) {
            if (!mappings[slot].sameFile(mappings[0])) {
                throw refusal(
                        slot,
                        "in the memfd " + mappings[slot].path() + " and slot 0 in " + mappings[0].path()
                                + ", another one: subscribers are sent one memfd, so take all buffers from the same");
            }
            for (int other = 0; other < slot; other++) { // in the file: the same bytes may be mapped twice
                if (Math.abs(offset(other) - offset(slot)) < slotBytes) {
                    throw refusal(
                            slot,
                            "within " + slotBytes + " bytes, those of a frame, of slot " + other
                                    + " in their memfd: they overlap");
                }
            }
        }
    }

    private void requireRoom() {
        for (int slot = 0; slot < mappings.length; slot++) {
            if (offset(slot) > layout.length() - slotBytes) {
                throw refusal(
                        slot,
                        "at offset " + offset(slot) + " of a memfd of " + layout.length() + " bytes, and a frame takes "
                                + slotBytes);
            }
        }
    }

    private void seal() {
        int seals = Posix.seals(memfd);
        if ((seals & HostRing.SEALS) == HostRing.SEALS) {
            return; // registered before
        }
        if ((seals & Libc.F_SEAL_SEAL) != 0) {
            throw refusal(
                    0,
                    "in a memfd whose seals are closed without those that readers rely on (F_SEAL_SHRINK, F_SEAL_GROW,"
                            + " F_SEAL_FUTURE_WRITE)" + WHAT_TO_DO);
        }
        Posix.seal(memfd, HostRing.SEALS);
    }

    private static CuframesException refusal(int slot, String is) {
        return new CuframesException(ErrorCode.INVALID_ARGUMENT, "slot " + slot + ": the buffer is " + is);
    }

    /** Where the slot starts in the memfd. */
    private long offset(int slot) {
        return mappings[slot].offset() + buffers[slot].address() - mappings[slot].start();
    }

    @Override
    public RingLayout layout() {
        return layout;
    }

    @Override
    public long address(int slot) {
        return buffers[slot].address();
    }

    @Override
    public MemorySegment host(int slot) {
        return buffers[slot];
    }

    @Override
    public SlotPlace place(int slot) {
        return new SlotPlace(offset(slot), slotBytes, layout.length(), SlotPlace.NO_HANDLE);
    }

    @Override
    public Descriptor descriptor() {
        return memfd;
    }

    /** Lets go of the memfd; the mappings are the application's. */
    @Override
    public void close() {
        memfd.close();
    }
}
