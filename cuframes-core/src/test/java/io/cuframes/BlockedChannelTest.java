// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static io.cuframes.testing.Await.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Memory that a channel's blocking call has, as its stream or buffer is closed: it cannot be unmapped before that call ends. */
@Timeout(120)
class BlockedChannelTest {
    /** A plane that is longer than a pipe holds. */
    private static final int WIDTH = 1920;

    private static final int HEIGHT = 540;
    private static final int SLOTS = 3;

    private final StreamFixture stream = new StreamFixture();
    private Pipe pipe;
    private Thread caller;
    private volatile Throwable failure;

    @BeforeEach
    void openPipe() throws IOException {
        pipe = Pipe.open();
    }

    @AfterEach
    void close() throws IOException, InterruptedException {
        pipe.source().close();
        pipe.sink().close();
        if (caller != null) {
            caller.join();
        }
        stream.close();
    }

    private interface Call {
        void run() throws IOException;
    }

    private void inAnotherThread(Call call) {
        caller = new Thread(() -> {
            try {
                call.run();
            } catch (Throwable t) {
                failure = t;
            }
        });
        caller.start();
    }

    /** Begins to write a segment to the pipe; returns as the write is under way, blocked. */
    private void write(MemorySegment segment) throws IOException {
        inAnotherThread(() -> {
            ByteBuffer bytes = segment.asByteBuffer();
            while (bytes.hasRemaining()) {
                pipe.sink().write(bytes);
            }
        });
        assertEquals(1, pipe.source().read(ByteBuffer.allocate(1)));
    }

    /** Reads what is left of a segment that is being written; each byte has to be this one. */
    private void drain(long length, int value) throws IOException, InterruptedException {
        ByteBuffer part = ByteBuffer.allocate(1 << 16);
        for (long left = length - 1; left > 0; left -= part.position()) {
            part.clear();
            pipe.source().read(part);
            for (int i = 0; i < part.position(); i++) {
                assertEquals(value, part.get(i), "a byte of another frame");
            }
        }
        caller.join();
        assertNull(failure);
    }

    private Publisher publisher() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .format(PixelFormat.NV12)
                .size(WIDTH, HEIGHT)
                .slots(SLOTS)
                .maxLeases(2)
                .open();
    }

    private Subscriber subscriber() {
        return Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .open();
    }

    private static boolean publish(Publisher publisher, int value) {
        try (WritableFrame frame = publisher.acquire()) {
            if (frame != null) {
                frame.plane(0).segment().fill((byte) value);
                frame.publish(value);
            }
            return frame != null;
        }
    }

    private static long mappings(String of) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains(of)).count();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aSubscriberClosesAsAPlaneIsWrittenAndTheLeaseLastsUntilItIs() throws Exception {
        try (Publisher publisher = publisher()) {
            long before = mappings("memfd:cuframes-ring-" + stream.key());
            Subscriber subscriber = subscriber();
            publish(publisher, 1);
            Frame frame = subscriber.next(Duration.ofSeconds(30));
            MemorySegment plane = frame.plane(0).segment();
            write(plane);

            subscriber.close();
            assertThrows(IllegalStateException.class, () -> subscriber.next(Duration.ZERO));
            assertThrows(IllegalStateException.class, () -> frame.dlpack(0));
            for (int i = 2; i < 2 + 3 * SLOTS; i++) {
                assertTrue(publish(publisher, i), "no slot is left besides the one that is being written");
            }
            assertEquals(1, publisher.subscribers());
            drain(plane.byteSize(), 1);

            await(() -> publisher.subscribers() == 0, "the subscriber's connection is still there");
            await(() -> mappings("memfd:cuframes-ring-" + stream.key()) == before, "the ring is still mapped");
            await(() -> subscriber.stats().heldLeases() == 0, "the frame is still leased");
            frame.close();
            assertFalse(plane.scope().isAlive());
        }
    }

    @Test
    void theLastFrameOfAPublisherThatIsGoneIsClosedAsAPlaneOfItIsWritten() throws Exception {
        Publisher publisher = publisher();
        try (Subscriber subscriber = subscriber()) {
            publish(publisher, 1);
            Frame frame = subscriber.next(Duration.ofSeconds(30));
            publisher.close();
            assertThrows(PublisherGoneException.class, () -> subscriber.next(Duration.ofSeconds(30)));
            MemorySegment plane = frame.plane(0).segment();
            write(plane);
            frame.close();
            drain(plane.byteSize(), 1);
            await(() -> mappings("memfd:cuframes-ring-" + stream.key()) == 0, "the ring is still mapped");
        }
    }

    @Test
    void aPublisherClosesAsASlotIsReadInto() throws Exception {
        Publisher publisher = publisher();
        WritableFrame frame = publisher.acquire();
        MemorySegment plane = frame.plane(0).segment();
        inAnotherThread(() -> {
            ByteBuffer bytes = plane.asByteBuffer();
            while (bytes.hasRemaining()) {
                pipe.source().read(bytes);
            }
        });
        pipe.sink().write(ByteBuffer.wrap(new byte[] {7}));
        await(() -> plane.get(ValueLayout.JAVA_BYTE, 0) == 7, "nothing was read");
        await(() -> isInNativeRead(caller), "the thread does not read on");

        publisher.close();
        frame.close();
        assertEquals(1, mappings("memfd:cuframes-ring-" + stream.key()));
        try (Publisher next = publisher()) { // all but the memory is free
            assertTrue(publish(next, 1));
        }
        ByteBuffer rest = ByteBuffer.allocate((int) plane.byteSize() - 1);
        while (rest.hasRemaining()) {
            pipe.sink().write(rest);
        }
        caller.join();
        await(() -> mappings("memfd:cuframes-ring-" + stream.key()) == 0, "the ring is still mapped");
        assertFalse(plane.scope().isAlive());
    }

    private static boolean isInNativeRead(Thread thread) {
        StackTraceElement[] stack = thread.getStackTrace();
        return stack.length > 0 && stack[0].isNativeMethod();
    }

    @Test
    void aBufferClosesAsItIsWritten() throws Exception {
        String name = "blocked-" + stream.key();
        SharedBuffer buffer = SharedBuffer.allocate(name, 1 << 20);
        MemorySegment segment = buffer.segment().fill((byte) 5);
        write(segment);
        buffer.close();
        buffer.close();
        assertTrue(
                StreamFixture.descriptors().stream().noneMatch(each -> each.contains(name)), "its descriptor is open");
        drain(1 << 20, 5);
        await(() -> mappings("memfd:cuframes-buffer-" + name) == 0, "the buffer is still mapped");
        assertFalse(segment.scope().isAlive());
    }
}
