// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.SubscriberLag;
import io.cuframes.ffm.Libc;
import io.cuframes.ffm.SocketMessage;
import io.cuframes.internal.protocol.DeviceUuid;
import io.cuframes.internal.protocol.HeadWord;
import io.cuframes.internal.protocol.ObservationDescriptor;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.internal.protocol.SegmentHeader;
import io.cuframes.internal.protocol.Shared;
import io.cuframes.internal.protocol.SlotDescriptor;
import io.cuframes.internal.ring.ControlPage;
import io.cuframes.internal.ring.ReaderSet;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Tells observers of a stream what there is to see (docs/protocol.md, sections 6.8 and 6.9). All of it is a copy of what the server thread can read
 * at any time: the writer is asked for nothing and waits for nothing, and nothing is kept of who was told. For the server thread.
 */
final class ObservationAnswer {
    private final SegmentHeader header;
    private final MemorySegment segment;
    private final ReaderSet readers;
    private final PublisherServer.Limits limits;

    ObservationAnswer(SegmentHeader header, MemorySegment segment, ReaderSet readers, PublisherServer.Limits limits) {
        this.header = header;
        this.segment = segment;
        this.readers = readers;
        this.limits = limits;
    }

    /** Sends it. One that does not take all of it at once, the kernel's buffer being smaller than any that is usual, gets no more. */
    void send(Peer peer) {
        List<ControlPage> pages = readers.snapshot();
        int length = ObservationDescriptor.OBSERVED_LENGTH + pages.size() * ObservationDescriptor.READER_LENGTH;
        try (Arena arena = Arena.ofConfined();
                SocketMessage answer = new SocketMessage(length, arena)) {
            MemorySegment payload = answer.payload();
            long published = Shared.getLongAcquire(segment, SegmentDescriptor.PUBLISHED_OFFSET);
            writeObserved(payload, published, pages.size());
            long at = ObservationDescriptor.OBSERVED_LENGTH;
            for (ControlPage page : pages) {
                writeReader(payload.asSlice(at, ObservationDescriptor.READER_LENGTH), page, published);
                at += ObservationDescriptor.READER_LENGTH;
            }
            answer.send(peer.fd(), 0, length, Libc.MSG_DONTWAIT);
        }
    }

    private void writeObserved(MemorySegment message, long published, int readerCount) {
        ObservationMessages.begin(message, ObservationDescriptor.OBSERVED, ObservationDescriptor.OBSERVED_LENGTH);
        writeConstants(message);
        copyInt(message, ObservationDescriptor.OBSERVED_STATE_OFFSET, SegmentDescriptor.STATE_OFFSET);
        copyInt(message, ObservationDescriptor.OBSERVED_SUBSCRIBERS_OFFSET, SegmentDescriptor.SUBSCRIBERS_OFFSET);
        copyInt(message, ObservationDescriptor.OBSERVED_IDLE_OFFSET, SegmentDescriptor.IDLE_OFFSET);
        copyLong(message, ObservationDescriptor.OBSERVED_DROPPED_OFFSET, SegmentDescriptor.DROPPED_OFFSET);
        copyLong(message, ObservationDescriptor.OBSERVED_REFUSED_OFFSET, SegmentDescriptor.REFUSED_OFFSET);
        copyLong(message, ObservationDescriptor.OBSERVED_STALLED_OFFSET, SegmentDescriptor.STALLED_OFFSET);
        ObservationMessages.put(message, ObservationDescriptor.OBSERVED_DAMAGED_OFFSET, damaged());
        ObservationMessages.put(message, ObservationDescriptor.OBSERVED_PUBLISHED_OFFSET, published);
        ObservationMessages.put(message, ObservationDescriptor.OBSERVED_READERS_OFFSET, readerCount);
        writeTimes(message, published);
    }

    /** The count of damaged frames as a u32, or the most that this says. */
    private int damaged() {
        long damaged = Shared.getLongAcquire(segment, SegmentDescriptor.DAMAGED_OFFSET);
        return (int) Math.min(ObservationDescriptor.OBSERVED_DAMAGED_MOST, damaged);
    }

    private void writeConstants(MemorySegment message) {
        ObservationMessages.putShort(message, ObservationDescriptor.OBSERVED_MAJOR_OFFSET, SegmentDescriptor.MAJOR);
        ObservationMessages.putShort(message, ObservationDescriptor.OBSERVED_MINOR_OFFSET, SegmentDescriptor.MINOR);
        ObservationMessages.put(message, ObservationDescriptor.OBSERVED_PID_OFFSET, header.pid());
        ObservationMessages.put(message, ObservationDescriptor.OBSERVED_EPOCH_OFFSET, header.epoch());
        ObservationMessages.put(message, ObservationDescriptor.OBSERVED_CREATED_OFFSET, header.createdNanos());
        ObservationMessages.put(
                message,
                ObservationDescriptor.OBSERVED_TRANSPORT_OFFSET,
                header.ring().transport().code());
        ObservationMessages.put(
                message,
                ObservationDescriptor.OBSERVED_PIXEL_FORMAT_OFFSET,
                header.format().pixelFormat().code());
        ObservationMessages.put(
                message,
                ObservationDescriptor.OBSERVED_WIDTH_OFFSET,
                header.format().width());
        ObservationMessages.put(
                message,
                ObservationDescriptor.OBSERVED_HEIGHT_OFFSET,
                header.format().height());
        ObservationMessages.put(
                message,
                ObservationDescriptor.OBSERVED_SLOTS_OFFSET,
                header.ring().slots());
        ObservationMessages.put(
                message,
                ObservationDescriptor.OBSERVED_POLICY_OFFSET,
                header.policy().code());
        ObservationMessages.put(
                message,
                ObservationDescriptor.OBSERVED_OWNERSHIP_OFFSET,
                header.ring().ownership().code());
        ObservationMessages.put(
                message, ObservationDescriptor.OBSERVED_MAX_SUBSCRIBERS_OFFSET, limits.maxSubscribers());
        ObservationMessages.put(
                message,
                ObservationDescriptor.OBSERVED_FRAME_BYTES_OFFSET,
                header.format().frameBytes());
        ObservationMessages.put(
                message,
                ObservationDescriptor.OBSERVED_RING_LENGTH_OFFSET,
                header.ring().length());
        header.ring()
                .device()
                .write(message.asSlice(ObservationDescriptor.OBSERVED_DEVICE_UUID_OFFSET, DeviceUuid.LENGTH));
        ObservationMessages.put(message, ObservationDescriptor.OBSERVED_MAX_LEASES_OFFSET, limits.maxLeases());
        ObservationMessages.putText(message, ObservationDescriptor.OBSERVED_KEY_OFFSET, header.key());
    }

    private void copyInt(MemorySegment message, long to, long from) {
        ObservationMessages.put(message, to, Shared.getIntAcquire(segment, from));
    }

    private void copyLong(MemorySegment message, long to, long from) {
        ObservationMessages.put(message, to, Shared.getLongAcquire(segment, from));
    }

    /** The newest and the oldest complete frame of the ring. The writer goes on meanwhile: a slot counts if it has the same frame before and after. */
    private void writeTimes(MemorySegment message, long published) {
        // The head may pass what was published before: it is brought back to it.
        long head = Math.min(published, HeadWord.seq(Shared.getLongAcquire(segment, SegmentDescriptor.HEAD_OFFSET)));
        long newestTime = 0;
        long oldest = 0;
        long oldestTime = 0;
        for (int slot = 0; slot < header.ring().slots(); slot++) {
            long at = SegmentDescriptor.slotOffset(slot);
            long seq = Shared.getLongAcquire(segment, at + SlotDescriptor.SEQ_OFFSET);
            long time = Shared.getLongOpaque(segment, at + SlotDescriptor.PUBLISH_TIME_OFFSET);
            Shared.fence(); // the second look at seq comes after that at the time
            boolean whole = seq == Shared.getLongOpaque(segment, at + SlotDescriptor.SEQ_OFFSET);
            if (!whole || seq == 0 || seq > head) {
                continue;
            }
            if (seq == head) {
                newestTime = time;
            }
            if (oldest == 0 || seq < oldest) {
                oldest = seq;
                oldestTime = time;
            }
        }
        ObservationMessages.put(message, ObservationDescriptor.OBSERVED_HEAD_SEQ_OFFSET, head);
        ObservationMessages.put(message, ObservationDescriptor.OBSERVED_NEWEST_TIME_OFFSET, newestTime);
        ObservationMessages.put(message, ObservationDescriptor.OBSERVED_OLDEST_SEQ_OFFSET, oldest);
        ObservationMessages.put(message, ObservationDescriptor.OBSERVED_OLDEST_TIME_OFFSET, oldestTime);
        ObservationMessages.put(message, ObservationDescriptor.OBSERVED_TIME_OFFSET, System.nanoTime());
    }

    private void writeReader(MemorySegment message, ControlPage page, long published) {
        ObservationMessages.begin(message, ObservationDescriptor.READER, ObservationDescriptor.READER_LENGTH);
        ControlPage.Owner owner = page.owner();
        ObservationMessages.put(message, ObservationDescriptor.READER_SUBSCRIBER_OFFSET, owner.number());
        ObservationMessages.put(message, ObservationDescriptor.READER_PID_OFFSET, owner.pid());
        ObservationMessages.put(
                message, ObservationDescriptor.READER_MODE_OFFSET, owner.mode().code());
        ObservationMessages.put(
                message,
                ObservationDescriptor.READER_LEASED_OFFSET,
                page.leasedSlots(header.ring().slots()));
        ObservationMessages.putText(message, ObservationDescriptor.READER_NAME_OFFSET, owner.name());
        long held = page.heldNanos(header.ring().slots(), segment) / ObservationDescriptor.READER_HELD_UNIT_NANOS;
        ObservationMessages.putShort(message, ObservationDescriptor.READER_HELD_OFFSET, (int)
                Math.min(held, ObservationDescriptor.READER_HELD_MOST));
        SubscriberLag lag = page.lag(published, header.ring().slots(), segment);
        if (lag == null) { // admitted, and not ready yet
            return;
        }
        int flags = ObservationDescriptor.READER_READY
                | (lag.waiting() ? ObservationDescriptor.READER_WAITING : 0)
                | (lag.stalled() ? ObservationDescriptor.READER_STALLED : 0);
        ObservationMessages.putShort(message, ObservationDescriptor.READER_FLAGS_OFFSET, flags);
        ObservationMessages.put(message, ObservationDescriptor.READER_CURSOR_OFFSET, lag.cursor());
        ObservationMessages.put(message, ObservationDescriptor.READER_RECEIVED_OFFSET, lag.received());
        ObservationMessages.put(message, ObservationDescriptor.READER_MISSED_OFFSET, lag.missed());
        ObservationMessages.put(message, ObservationDescriptor.READER_TIMEOUTS_OFFSET, lag.timeouts());
        page.device().write(message.asSlice(ObservationDescriptor.READER_DEVICE_UUID_OFFSET, DeviceUuid.LENGTH));
    }
}
