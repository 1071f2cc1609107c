// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.Backoff;
import io.cuframes.ColorInfo;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.internal.fault.FaultPoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * Publishes, reopens and reads a stream in one process, once for each fault point at which a call can fail, and has it fail there. Says for each point what
 * came of it: {@code POINT thrown} or {@code POINT coped}, the latter where the library tries again by itself, and {@code , left LIST} where
 * something stayed behind.
 */
public final class FailureProcess {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final String key;
    private final Path directory;
    private final Transport transport;

    private FailureProcess(String key, Path directory, Transport transport) {
        this.key = key;
        this.directory = directory;
        this.transport = transport;
    }

    /** Arguments: key, socket directory, transport, FAIL or ERROR; the latter at every step of opening and closing, also where no call can fail. */
    public static void main(String[] args) throws IOException {
        FailureProcess process = new FailureProcess(args[0], Path.of(args[1]), Transport.valueOf(args[2]));
        FaultInjector.Action action = FaultInjector.Action.valueOf(args[3]);
        process.play(); // links what it takes
        List<String> before = process.remains();
        for (FaultPoint point : FaultPoint.values()) {
            boolean meant = action == FaultInjector.Action.ERROR ? isOfALife(point) : point.canFail();
            if (meant && (process.transport.isDevice() || point != FaultPoint.ANNOUNCING)) {
                String outcome = process.fail(point, action);
                List<String> after = process.remains();
                System.out.println(point + " " + outcome + (after.equals(before) ? "" : ", left " + after));
            }
        }
        FaultInjector.arm("");
        process.play();
        System.out.println("end");
    }

    /** Whether a step is one of opening or closing, on either side, and not one of a frame's, nor one that ends the stream by itself. */
    public static boolean isOfALife(FaultPoint point) {
        return Stream.of(
                        EnumSet.range(FaultPoint.RING_MADE, FaultPoint.SERVER_STARTED),
                        EnumSet.range(FaultPoint.HELLO_READ, FaultPoint.READY_READ),
                        EnumSet.range(FaultPoint.ENDING, FaultPoint.READY_SENT),
                        EnumSet.range(FaultPoint.PUBLISHER_LOST, FaultPoint.ALL_UNMAPPED))
                .anyMatch(range -> range.contains(point));
    }

    private String fail(FaultPoint point, FaultInjector.Action action) throws IOException {
        boolean leftovers = point == FaultPoint.SEGMENT_LEFTOVER_REMOVED;
        if (leftovers) {
            Leftovers.leave(key, directory);
        }
        FaultInjector.arm(point + ":1:" + action);
        String outcome;
        try {
            if (point == FaultPoint.SOCKET_LOST) {
                loseTheSocket();
            } else {
                play();
            }
            outcome = "coped";
        } catch (CuframesException e) {
            outcome = isInjected(e, point) ? "thrown" : "threw " + e;
        } catch (OutOfMemoryError e) {
            outcome = e.getMessage().contains(point.name()) ? "thrown" : "threw " + e;
        }
        if (FaultInjector.timesReached(point) == 0) {
            outcome = "not reached";
        }
        FaultInjector.arm("");
        if (leftovers) { // the other of the two is a dead publisher's still, for the next one
            publisher().open().close();
        }
        return outcome;
    }

    private static boolean isInjected(CuframesException e, FaultPoint point) {
        return e.code() == ErrorCode.INTERNAL && e.getMessage().contains(point.name());
    }

    private Publisher.Builder publisher() {
        return Publisher.builder(key)
                .socketDirectory(directory)
                .transport(transport)
                .size(64, 64);
    }

    private void play() {
        Publisher publisher = publisher().open();
        try (Subscriber subscriber = Subscriber.builder(key)
                .socketDirectory(directory)
                .reconnect(Backoff.every(Duration.ofMillis(5)))
                .open()) {
            exchange(publisher, subscriber);
            publisher = publisher.reopen(FrameFormat.of(PixelFormat.RGB24, 32, 32, ColorInfo.UNKNOWN));
            exchange(publisher, subscriber);
        } finally {
            publisher.close();
        }
    }

    /** Removes a publisher's socket, and waits until it is there again. */
    private void loseTheSocket() throws IOException {
        try (Publisher publisher = publisher().open()) {
            Path socket = directory.resolve(publisher.key() + ".sock");
            Files.delete(socket);
            long start = System.nanoTime();
            while (!Files.exists(socket)) {
                if (System.nanoTime() - start > PATIENCE.toNanos()) {
                    throw new IllegalStateException("the socket is not made again");
                }
                LockSupport.parkNanos(1_000_000);
            }
        }
    }

    private static void exchange(Publisher publisher, Subscriber subscriber) {
        FramePattern pattern = new FramePattern(publisher.format());
        long start = System.nanoTime();
        while (System.nanoTime() - start < PATIENCE.toNanos()) {
            try (WritableFrame frame = publisher.acquire()) {
                if (frame != null) {
                    pattern.write(frame, publisher.published() + 1);
                    frame.publish(0);
                }
            }
            try (Frame frame = subscriber.next(Duration.ofMillis(5))) {
                if (frame != null && frame.epoch() == publisher.epoch()) {
                    if (pattern.firstFault(frame, frame.seq()) >= 0) {
                        throw new IllegalStateException("a frame is damaged");
                    }
                    return;
                }
            }
        }
        throw new IllegalStateException("no frame arrives");
    }

    private boolean isStandIn() {
        return transport.isDevice() && Cuda.device(0).name().equals(CudaStandIn.DEVICE_NAME);
    }

    private List<String> remains() throws IOException {
        try (Stream<Path> sockets = Files.list(directory);
                Stream<Path> segments = Files.list(Path.of("/dev/shm"))) {
            return Stream.of(
                            StreamFixture.descriptors().stream(),
                            StreamFixture.mappings().stream(),
                            (isStandIn() ? CudaStandIn.remains() : List.<String>of()).stream(),
                            Stream.concat(
                                            sockets,
                                            segments.filter(
                                                    path -> path.toString().contains(key)))
                                    .map(Path::toString),
                            Thread.getAllStackTraces().keySet().stream()
                                    .map(Thread::getName)
                                    .filter(name -> name.contains(key)))
                    .flatMap(each -> each)
                    .sorted()
                    .toList();
        }
    }
}
