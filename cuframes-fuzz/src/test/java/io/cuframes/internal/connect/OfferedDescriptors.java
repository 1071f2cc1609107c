// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.ffm.Libc;
import io.cuframes.fuzz.Input;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.SegmentDescriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;

/** Descriptors of all kinds that a publisher could send, made once; the segment and the control page are filled anew for each run. */
final class OfferedDescriptors {
    private static final int O_PATH = 0x200000;

    /** Longer than any machine's memory, and without a page of its own. */
    private static final long SPARSE = 1L << 39;

    private static final int MOST_AT_ONCE = 20;

    private final Arena arena = Arena.ofShared();
    private final Descriptor segment = Posix.memfd("fuzz-segment");
    private final Descriptor control = Posix.memfd("fuzz-control");
    private final Descriptor ring = Posix.memfd("fuzz-ring");
    private final MemorySegment segmentBytes;
    private final MemorySegment controlBytes;

    /** The first three are what a publisher sends. */
    private final List<Descriptor> kinds;

    OfferedDescriptors() {
        long length = SegmentDescriptor.length(SeedSegment.SLOTS);
        Posix.reserve(segment, length, "segment");
        Posix.reserve(control, ControlDescriptor.LENGTH, "control");
        Posix.reserve(ring, SeedSegment.RING, "ring");
        segmentBytes = Posix.map(segment, length, true, arena, "segment");
        controlBytes = Posix.map(control, ControlDescriptor.LENGTH, true, arena, "control");
        Posix.seal(control, Libc.F_SEAL_SHRINK);
        Posix.seal(ring, Libc.F_SEAL_SHRINK);
        kinds = List.of(
                segment,
                control,
                ring,
                reopened(segment, Libc.O_RDONLY),
                reopened(segment, Libc.O_WRONLY),
                reopened(segment, O_PATH),
                reopened(control, Libc.O_RDONLY),
                reopened(control, O_PATH),
                reopened(ring, O_PATH),
                memfd(ControlDescriptor.LENGTH, 0),
                memfd(ControlDescriptor.LENGTH, Libc.F_SEAL_SHRINK | Libc.F_SEAL_WRITE),
                memfd(SeedSegment.RING, 0),
                memfd(SPARSE, Libc.F_SEAL_SHRINK),
                Posix.memfd("fuzz-empty"),
                Posix.open(Path.of("/dev/null"), Libc.O_RDWR, 0),
                Posix.open(Path.of("/dev/zero"), Libc.O_RDWR, 0),
                Posix.open(Path.of("/"), Libc.O_DIRECTORY, 0),
                new Descriptor(Posix.check(Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM, 0), "socket")),
                new Descriptor(Posix.check(Libc.eventfd(0, 0), "eventfd")));
    }

    private static Descriptor reopened(Descriptor descriptor, int flags) {
        return Posix.open(Path.of("/proc/self/fd/" + descriptor.fd()), flags, 0);
    }

    private static Descriptor memfd(long length, int seals) {
        Descriptor memfd = Posix.memfd("fuzz-other");
        Posix.check(Libc.ftruncate(memfd.fd(), length), "ftruncate");
        Posix.seal(memfd, seals);
        return memfd;
    }

    /** A count, then the kind of each. */
    int[] choose(Input input) {
        int[] chosen = new int[input.u8() % (MOST_AT_ONCE + 1)];
        for (int i = 0; i < chosen.length; i++) {
            chosen[i] = kinds.get(input.u8() % kinds.size()).fd();
        }
        return chosen;
    }

    /** Good memory, but for the patches that follow. */
    void fill(Input input) {
        segmentBytes.fill((byte) 0);
        SeedSegment.write(segmentBytes);
        input.patch(segmentBytes, 16);
        controlBytes.fill((byte) 0);
        controlBytes.set(JAVA_LONG, ControlDescriptor.MAGIC_OFFSET, ControlDescriptor.MAGIC);
        controlBytes.set(JAVA_LONG, ControlDescriptor.EPOCH_OFFSET, SeedSegment.EPOCH);
        input.patch(controlBytes, 4);
    }
}
