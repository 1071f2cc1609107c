// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks.ipc;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.Header;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Two publications of Aeron IPC. A small message is written in place ({@code tryClaim}); one that is larger than Aeron's MTU is written to a buffer,
 * from where {@code offer} copies it in fragments, which the reader puts together again.
 */
final class AeronLink extends Link {
    private static final String CHANNEL = "aeron:ipc";
    private static final int STREAM = 1001;

    /** Messages a poll may take, so that the reader's position is written once for all of them. */
    private static final int BATCH = 256;

    private final Aeron aeron;
    private final ExclusivePublication publication;
    private final Subscription subscription;
    private final BufferClaim claim = new BufferClaim();
    private final UnsafeBuffer message;
    private final FragmentHandler handler;
    private int taken;

    AeronLink(Task task, boolean first, Path directory) {
        aeron = Aeron.connect(
                new Aeron.Context().aeronDirectoryName(directory.toString()).preTouchMappedMemory(true));
        publication = aeron.addExclusivePublication(CHANNEL, STREAM + (first ? 0 : 1));
        subscription = aeron.addSubscription(CHANNEL, STREAM + (first ? 1 : 0));
        message = new UnsafeBuffer(ByteBuffer.allocateDirect(task.bytes()));
        handler = task.bytes() > publication.maxPayloadLength()
                ? new FragmentAssembler(this::onMessage, task.bytes())
                : this::onMessage;
        while (!publication.isConnected() || !subscription.isConnected()) {
            Thread.onSpinWait();
        }
    }

    @Override
    void send(long number, long startNanos) {
        if (message.capacity() <= publication.maxPayloadLength()) {
            require(position(() -> publication.tryClaim(message.capacity(), claim)));
            write(claim.buffer(), claim.offset(), number, startNanos);
            claim.commit();
            return;
        }
        message.setMemory(0, message.capacity(), bodyOf(number));
        write(message, 0, number, startNanos);
        require(position(() -> publication.offer(message)));
    }

    private static void write(MutableDirectBuffer buffer, int at, long number, long startNanos) {
        buffer.putByte(at + BODY, bodyOf(number));
        buffer.putLong(at + NUMBER, number);
        buffer.putLong(at + STARTED, startNanos);
    }

    /** An attempt to send. */
    private interface Attempt {
        long tryOnce();
    }

    private static long position(Attempt attempt) {
        long position = attempt.tryOnce();
        while (position == Publication.BACK_PRESSURED || position == Publication.ADMIN_ACTION) {
            Thread.onSpinWait();
            position = attempt.tryOnce();
        }
        return position;
    }

    private static void require(long position) {
        if (position < 0) {
            throw new IllegalStateException("Aeron says " + Publication.errorString(position));
        }
    }

    @Override
    int poll() {
        taken = 0;
        if (subscription.poll(handler, BATCH) == 0) {
            Thread.onSpinWait();
        }
        return taken;
    }

    private void onMessage(DirectBuffer buffer, int at, int length, Header header) {
        long number = buffer.getLong(at + NUMBER);
        byte body = bodyOf(number);
        boolean right = buffer.getByte(at + BODY) == body;
        for (int page = PAGE; page < length; page += PAGE) {
            right &= buffer.getByte(at + page) == body;
        }
        take(number, buffer.getLong(at + STARTED), right, true);
        taken++;
    }

    @Override
    public void close() {
        aeron.close();
    }
}
