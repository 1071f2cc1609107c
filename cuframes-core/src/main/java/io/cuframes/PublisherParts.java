// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.connect.PublisherServer;
import io.cuframes.internal.connect.SegmentFile;
import io.cuframes.internal.connect.StreamKey;
import io.cuframes.internal.cuda.CudaDevice;
import io.cuframes.internal.cuda.CudaIpcRing;
import io.cuframes.internal.cuda.CudaVmmRing;
import io.cuframes.internal.cuda.DeviceReads;
import io.cuframes.internal.cuda.GpuAnnouncer;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import io.cuframes.internal.memory.HostRing;
import io.cuframes.internal.memory.RingMemory;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.MonotonicClock;
import io.cuframes.internal.os.Reaper;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SegmentHeader;
import io.cuframes.internal.protocol.SlotDescriptor;
import io.cuframes.internal.ring.Announcer;
import io.cuframes.internal.ring.HostAnnouncer;
import io.cuframes.internal.ring.ReaderSet;
import io.cuframes.internal.ring.RingWriter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.SecureRandom;
import java.time.Instant;

/** What a publisher holds, in the order it is made; closed in reverse, and safe to close half-made. */
final class PublisherParts implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(PublisherParts.class.getName());

    private final ReaderSet readers = new ReaderSet();

    /** Null in host memory. */
    private final CudaDevice device;

    private RingMemory memory;
    private SegmentHeader header;
    private SegmentFile segment;
    private RingWriter writer;
    private Announcer announcer;
    private PublisherServer server;

    private PublisherParts(CudaDevice device) {
        this.device = device;
    }

    /** Makes everything, or nothing. */
    static PublisherParts open(
            StreamKey key, FrameFormat format, Transport transport, CudaDevice device, Publisher.Builder builder) {
        // Its fields say what is made: there is nothing to note that could fail.
        PublisherParts parts = new PublisherParts(device);
        try {
            parts.memory = builder.external == null
                    ? allocate(key, format, transport, device, builder.slots)
                    : builder.external.register(key.name(), device);
            Faults.reach(FaultPoint.RING_MADE);
            parts.header = new SegmentHeader(
                    key.name(),
                    randomEpoch(),
                    (int) ProcessHandle.current().pid(),
                    wallNanos(),
                    MonotonicClock.offsetNanos(),
                    builder.policy,
                    builder.timeBase,
                    format,
                    parts.memory.layout());
            parts.segment = SegmentFile.create(
                    key, builder.slots, builder.access(), bytes -> parts.describe(bytes, builder.maxSubscribers));
            Faults.reach(FaultPoint.SEGMENT_NAMED);
            parts.serve(key, device, builder);
            return parts;
        } catch (Throwable e) {
            Closing.undo(e, parts);
            throw e;
        }
    }

    private static RingMemory allocate(
            StreamKey key, FrameFormat format, Transport transport, CudaDevice device, int slots) {
        long stride = SegmentDescriptor.pageAligned(format.frameBytes());
        return switch (transport) {
            case CUDA_IPC -> new CudaIpcRing(device, slots, stride);
            case CUDA_VMM -> new CudaVmmRing(device, slots, stride);
            case HOST -> new HostRing(key.name(), slots, stride);
            case AUTO -> throw new AssertionError(transport);
        };
    }

    private static long randomEpoch() {
        long epoch = new SecureRandom().nextLong();
        return epoch == 0 ? 1 : epoch;
    }

    private static long wallNanos() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }

    /** Fills the constant parts of a fresh segment. Plain stores: nobody reads before the state is READY. */
    private void describe(MemorySegment bytes, int maxSubscribers) {
        header.write(bytes);
        bytes.set(ValueLayout.JAVA_INT, SegmentDescriptor.MAX_SUBSCRIBERS_OFFSET, maxSubscribers);
        for (int slot = 0; slot < header.ring().slots(); slot++) {
            memory.place(slot).write(bytes.asSlice(SegmentDescriptor.slotOffset(slot), SlotDescriptor.LENGTH));
        }
    }

    private void serve(StreamKey key, CudaDevice device, Publisher.Builder builder) {
        MemorySegment bytes = segment.memory();
        writer = builder.policy == PublishPolicy.DROP_OLDEST
                ? new RingWriter(bytes, builder.slots, readers)
                : new RingWriter(bytes, builder.slots, readers, builder.graceNanos());
        announcer = device == null
                ? new HostAnnouncer(bytes, writer)
                : new GpuAnnouncer(device, key.name(), bytes, writer, builder.stream);
        Faults.reach(FaultPoint.ANNOUNCER_MADE);
        server = PublisherServer.start(
                key,
                builder.socketDirectory,
                header,
                segment,
                memory.descriptor(),
                readers,
                new PublisherServer.Limits(builder.maxSubscribers, builder.maxLeases, builder.access()));
        Faults.reach(FaultPoint.SERVER_STARTED);
    }

    ReaderSet readers() {
        return readers;
    }

    RingMemory memory() {
        return memory;
    }

    SegmentHeader header() {
        return header;
    }

    SegmentFile segment() {
        return segment;
    }

    RingWriter writer() {
        return writer;
    }

    Announcer announcer() {
        return announcer;
    }

    PublisherServer server() {
        return server;
    }

    /** Releases everything, whatever fails on the way, and waits for no GPU: for parts that no frame was published with. To be called once. */
    @Override
    public void close() {
        AutoCloseable ring = memory == null ? null : new PublisherRemains(announcer, segment, memory)::releaseAll;
        Closing.all(this::leave, ring);
    }

    /**
     * Releases what {@link #leave} leaves: at once in host memory; on a device by the {@link Reaper}, which may have to wait for the GPU. To be called
     * once.
     *
     * @param patienceNanos how long this waits for that at most
     */
    void release(long patienceNanos) {
        PublisherRemains remains = new PublisherRemains(announcer, segment, memory);
        if (device == null) {
            remains.releaseAll();
        } else {
            reap(remains, patienceNanos);
        }
    }

    private void reap(PublisherRemains remains, long patienceNanos) {
        String stream = announcer.diagnose(); // before its stream may be destroyed
        Reaper.Pending pending = Reaper.of(DeviceReads.releaseLane(device))
                .submit("what a closed publisher of \"" + header.key() + "\" has", remains::tryRelease);
        if (!pending.await(patienceNanos)) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    () -> "\"" + header.key() + "\" has ended, and its ring and segment are released later,"
                            + " when its GPU has done what was queued; " + stream);
        }
    }

    /** Frees the key and cuts readers off: a successor may take the key at once. To be called once. */
    void leave() {
        AutoCloseable name = segment == null ? null : segment::unlink;
        AutoCloseable lock = segment == null ? null : segment::release;
        Closing.all(server, name, lock);
    }
}
