// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.CuframesException;
import io.cuframes.DlpackTensor;
import io.cuframes.Frame;
import io.cuframes.FrameHandler;
import io.cuframes.Publisher;
import io.cuframes.SharedBuffer;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import io.cuframes.ffm.DLManagedTensorVersioned;
import io.cuframes.ffm.Dlpack;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** An application that uses about all there is, and closes what it opened. Loaded by a class loader of its own, as application servers do. */
public final class Deployment implements Consumer<String[]> {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private Publisher publisher;

    /** Arguments: the part to play, a key, a socket directory, a transport. */
    @Override
    public void accept(String[] arguments) {
        String key = arguments[1];
        Path sockets = Path.of(arguments[2]);
        Transport transport = Transport.valueOf(arguments[3]);
        switch (arguments[0]) {
            case "failed open" -> failToOpen(key, sockets);
            case "streams" -> streams(key, sockets, transport);
            case "tensors" -> tensors(key, sockets, transport);
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void failToOpen(String key, Path sockets) {
        try {
            Subscriber.builder(key)
                    .socketDirectory(sockets)
                    .connectTimeout(Duration.ZERO)
                    .open()
                    .close();
            throw new AssertionError("there is a publisher");
        } catch (CuframesException e) {
            require(e.code() == io.cuframes.ErrorCode.NOT_FOUND, e.toString());
        }
    }

    private Publisher open(String key, Path sockets, Transport transport) {
        return Publisher.builder(key)
                .socketDirectory(sockets)
                .transport(transport)
                .size(64, 64)
                .slots(4)
                .maxLeases(3)
                .open();
    }

    private void publish() {
        try (WritableFrame frame = publisher.acquire()) {
            frame.userData(new byte[] {1}).publish(1);
        }
    }

    private void streams(String key, Path sockets, Transport transport) {
        CountDownLatch received = new CountDownLatch(2);
        try (Publisher opened = open(key, sockets, transport);
                SharedBuffer buffer = SharedBuffer.allocate("deployed", 4096);
                Subscriber subscriber =
                        Subscriber.builder(key).socketDirectory(sockets).open()) {
            publisher = opened;
            buffer.segment().fill((byte) 1);
            Subscriber.Builder more = Subscriber.builder(key).socketDirectory(sockets);
            more.toFlowPublisher().subscribe(new OneFrame(received));
            try (var handled = more.start((FrameHandler) frame -> received.countDown())) {
                long deadline = System.nanoTime() + PATIENCE.toNanos();
                while (received.getCount() > 0 && System.nanoTime() - deadline < 0) {
                    publish();
                    received.await(10, TimeUnit.MILLISECONDS);
                }
            }
            require(received.getCount() == 0, "frames did not come");
            try (Frame frame = subscriber.next(PATIENCE);
                    Arena arena = Arena.ofConfined()) {
                frame.copyTo(arena.allocate(frame.sizeBytes()));
            }
            require(subscriber.stats().received() == 1, "no frame was received");
            require(opened.stats().published() > 0, "no frame was published");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void tensors(String key, Path sockets, Transport transport) {
        try (Publisher opened = open(key, sockets, transport);
                Subscriber subscriber =
                        Subscriber.builder(key).socketDirectory(sockets).open()) {
            publisher = opened;
            publish();
            try (Frame frame = subscriber.next(PATIENCE)) {
                for (int i = 0; i < 3; i++) {
                    delete(frame.dlpack(0).handOver(DlpackTensor.NO_STREAM));
                }
                DlpackTensor.wrap(frame.dlpack(1).handOver(DlpackTensor.NO_STREAM))
                        .close();
            }
        }
    }

    private static void delete(long tensor) {
        long deleter = Dlpack.memory(tensor, DLManagedTensorVersioned.LENGTH)
                .get(ValueLayout.JAVA_LONG, DLManagedTensorVersioned.DELETER_OFFSET);
        Dlpack.callDeleter(deleter, tensor);
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new AssertionError(otherwise);
        }
    }

    /** Takes a frame, and wants no more. */
    private static final class OneFrame implements Flow.Subscriber<Frame> {
        private final CountDownLatch received;
        private Flow.Subscription frames;

        OneFrame(CountDownLatch received) {
            this.received = received;
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            frames = subscription;
            frames.request(1);
        }

        @Override
        public void onNext(Frame frame) {
            frame.close();
            received.countDown();
            frames.cancel();
        }

        @Override
        public void onError(Throwable thrown) {
            throw new AssertionError(thrown);
        }

        @Override
        public void onComplete() {
            frames.cancel();
        }
    }
}
