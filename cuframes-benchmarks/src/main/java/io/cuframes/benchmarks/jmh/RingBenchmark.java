// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks.jmh;

import io.cuframes.Frame;
import io.cuframes.PixelFormat;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import io.cuframes.WaitStrategy;
import io.cuframes.WritableFrame;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What the calls of each frame cost on a ring in host memory, without the pixels: nobody waits, so that no thread is woken. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 2,
        jvmArgs = {"--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC"})
public class RingBenchmark {
    /** Frames that are ready when the reader comes: fewer than the ring has slots. */
    static final int READY = 48;

    private static final int SLOTS = 64;
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    /** A stream in a directory of its own. */
    private static final class Stream {
        final Path directory;
        final Publisher publisher;

        Stream() {
            try {
                directory = Files.createTempDirectory("cuframes-jmh");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            publisher = Publisher.builder("jmh-" + ProcessHandle.current().pid())
                    .socketDirectory(directory)
                    .transport(Transport.HOST)
                    .format(PixelFormat.GRAY8)
                    .size(32, 2)
                    .slots(SLOTS)
                    .open();
        }

        Subscriber subscribe() {
            return Subscriber.builder(publisher.key())
                    .socketDirectory(directory)
                    .mode(SubscriberMode.STRICT_ORDER)
                    .waitStrategy(WaitStrategy.SPIN)
                    .open();
        }

        void publish(long ptsNanos) {
            try (WritableFrame frame = publisher.acquire()) {
                frame.publish(ptsNanos);
            }
        }

        void close() {
            publisher.close();
            try {
                Files.deleteIfExists(directory);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** A publisher and subscribers that are connected and read nothing. */
    @State(Scope.Thread)
    public static class Writing {
        /** How many. */
        @Param({"0", "1", "16"})
        public int subscribers;

        private final List<Subscriber> connected = new ArrayList<>();
        private Stream stream;
        private long pts;

        /** Opens. */
        @Setup
        public void open() {
            stream = new Stream();
            for (int i = 0; i < subscribers; i++) {
                connected.add(stream.subscribe());
            }
        }

        /** Closes. */
        @TearDown
        public void close() {
            connected.forEach(Subscriber::close);
            stream.close();
        }
    }

    /** A reader with frames that are ready. */
    @State(Scope.Thread)
    public static class Reading {
        private Stream stream;
        private Subscriber subscriber;

        /** Opens. */
        @Setup
        public void open() {
            stream = new Stream();
            subscriber = stream.subscribe();
        }

        /** Publishes what is then read. */
        @Setup(Level.Invocation)
        public void publish() {
            for (int i = 0; i < READY; i++) {
                stream.publish(i);
            }
        }

        /** Closes. */
        @TearDown
        public void close() {
            subscriber.close();
            stream.close();
        }
    }

    /** A slot is taken and published as it is. */
    @Benchmark
    public long acquirePublish(Writing state) {
        try (WritableFrame frame = state.stream.publisher.acquire()) {
            return frame.publish(state.pts++);
        }
    }

    /** A frame that is ready is taken and given back. */
    @Benchmark
    @OperationsPerInvocation(READY)
    public long nextClose(Reading state) {
        long sum = 0;
        for (int i = 0; i < READY; i++) {
            try (Frame frame = state.subscriber.next(PATIENCE)) {
                sum += frame.seq();
            }
        }
        return sum;
    }
}
