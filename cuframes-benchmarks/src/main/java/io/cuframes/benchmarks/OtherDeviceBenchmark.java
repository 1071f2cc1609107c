// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import com.google.gson.JsonObject;
import io.cuframes.Frame;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import io.cuframes.ffm.LibCudart;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * What it takes a GPU to read a frame of a ring that is on another one: in place, after a copy from GPU to GPU, and after a copy through pinned host
 * memory; and, to compare with, in place on the ring's own GPU. Each way ends when a kernel has read every byte of the frame, and its sum must be that
 * of the frame. The ways take turns, at a stated rate, in one run.
 *
 * <p>Arguments: [frames of each way, 2000] [ring's device, 0] [reader's device, 1] [frames a second, 400]. Prints a table, and a line of JSON.
 */
public final class OtherDeviceBenchmark {
    private static final int WIDTH = 1920;
    private static final int HEIGHT = 1080;
    private static final int ROUNDS = 5;
    private static final int WARM_UP = 200;
    private static final int FILL = 7;

    private enum Way {
        OWN("in place, on the ring's own GPU"),
        PLACE("in place, on the other GPU"),
        PEER("copied from GPU to GPU, then read"),
        STAGED("copied through pinned host memory, then read"),
        PEER_COPY("the copy from GPU to GPU alone"),
        STAGED_COPY("the copy through pinned host memory alone");

        private final String words;

        Way(String words) {
            this.words = words;
        }
    }

    /** A device with a stream of its own, and room for a frame and its sum. */
    private static final class Side {
        private final int device;
        private final long stream;
        private final long copy;
        private final long sum;
        private final FrameKernel kernel;

        Side(int device, long frameBytes, MemorySegment out) {
            this.device = device;
            use();
            check(LibCudart.cudaStreamCreateWithFlags(out, LibCudart.cudaStreamNonBlocking), "cudaStreamCreate");
            stream = out.get(JAVA_LONG, 0);
            check(LibCudart.cudaMalloc(out, frameBytes), "cudaMalloc");
            copy = out.get(JAVA_LONG, 0);
            check(LibCudart.cudaMalloc(out, Integer.BYTES), "cudaMalloc");
            sum = out.get(JAVA_LONG, 0);
            kernel = new FrameKernel();
        }

        void use() {
            check(LibCudart.cudaSetDevice(device), "cudaSetDevice");
        }

        void await() {
            check(LibCudart.cudaStreamSynchronize(stream), "cudaStreamSynchronize");
        }
    }

    private final int frames;
    private final long intervalNanos;
    private final long bytes;
    private final Side ring;
    private final Side reader;
    private final long onRing;
    private final long onReader;
    private final long pinned;
    private final Map<Way, Histogram> times = new EnumMap<>(Way.class);
    private final MemorySegment word = Arena.global().allocate(JAVA_INT);

    private OtherDeviceBenchmark(int frames, int rate, Frame ofRing, Frame ofReader, int ringDevice, int readerDevice) {
        this.frames = frames;
        this.intervalNanos = 1_000_000_000L / rate;
        this.bytes = ofRing.sizeBytes();
        this.onRing = ofRing.plane(0).pointer().address();
        this.onReader = ofReader.plane(0).pointer().address();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            this.ring = new Side(ringDevice, bytes, out);
            this.reader = new Side(readerDevice, bytes, out);
            check(LibCudart.cudaHostAlloc(out, bytes, LibCudart.cudaHostAllocPortable), "cudaHostAlloc");
            this.pinned = out.get(JAVA_LONG, 0);
        }
        for (Way way : Way.values()) {
            times.put(way, new Histogram(1, 10_000_000_000L, 3));
        }
    }

    public static void main(String[] args) throws IOException {
        int frames = args.length > 0 ? Integer.parseInt(args[0]) : 2000;
        int ringDevice = args.length > 1 ? Integer.parseInt(args[1]) : 0;
        int readerDevice = args.length > 2 ? Integer.parseInt(args[2]) : 1;
        int rate = args.length > 3 ? Integer.parseInt(args[3]) : 400;
        Path directory = Files.createTempDirectory("cuframes-benchmark");
        String key = "other-device-" + ProcessHandle.current().pid();
        try (Publisher publisher = Publisher.builder(key)
                        .socketDirectory(directory)
                        .transport(Transport.CUDA_VMM)
                        .device(ringDevice)
                        .size(WIDTH, HEIGHT)
                        .open();
                Subscriber own =
                        Subscriber.builder(key).socketDirectory(directory).open();
                Subscriber other = Subscriber.builder(key)
                        .socketDirectory(directory)
                        .device(readerDevice)
                        .open()) {
            publish(publisher, ringDevice);
            try (Frame ofRing = own.next(Duration.ofSeconds(10));
                    Frame ofReader = other.next(Duration.ofSeconds(10))) {
                OtherDeviceBenchmark benchmark =
                        new OtherDeviceBenchmark(frames, rate, ofRing, ofReader, ringDevice, readerDevice);
                benchmark.measure();
                System.out.print(benchmark.table(rate));
                System.out.println(benchmark.toJson(rate));
            }
        } finally {
            Files.delete(directory);
        }
    }

    private static void publish(Publisher publisher, int device) {
        check(LibCudart.cudaSetDevice(device), "cudaSetDevice");
        try (WritableFrame frame = publisher.acquire()) {
            long start = frame.plane(0).pointer().address();
            check(
                    LibCudart.cudaMemsetAsync(start, FILL, publisher.format().frameBytes(), publisher.stream()),
                    "cudaMemsetAsync");
            frame.publish(1);
        }
    }

    private void measure() {
        for (Way way : Way.values()) {
            for (int i = 0; i < WARM_UP; i++) {
                timed(way);
            }
        }
        for (int round = 0; round < ROUNDS; round++) {
            for (Way way : Way.values()) {
                measure(way);
            }
        }
    }

    private void measure(Way way) {
        long next = System.nanoTime();
        for (int i = 0; i < frames / ROUNDS; i++) {
            next += intervalNanos;
            while (System.nanoTime() - next < 0) {
                LockSupport.parkNanos(Math.max(1, next - System.nanoTime()));
            }
            times.get(way).recordValue(timed(way));
        }
    }

    private long timed(Way way) {
        Side side = way == Way.OWN ? ring : reader;
        side.use();
        clear(side);
        long start = System.nanoTime();
        switch (way) {
            case OWN -> ring.kernel.read(onRing, bytes, ring.sum, ring.stream);
            case PLACE -> reader.kernel.read(onReader, bytes, reader.sum, reader.stream);
            case PEER -> {
                peerCopy();
                reader.kernel.read(reader.copy, bytes, reader.sum, reader.stream);
            }
            case STAGED -> {
                stage();
                reader.kernel.read(reader.copy, bytes, reader.sum, reader.stream);
            }
            case PEER_COPY -> peerCopy();
            case STAGED_COPY -> stage();
        }
        side.await();
        long nanos = System.nanoTime() - start;
        if (way != Way.PEER_COPY && way != Way.STAGED_COPY) {
            requireRead(side, way);
        }
        return nanos;
    }

    private void peerCopy() {
        check(
                LibCudart.cudaMemcpyAsync(
                        reader.copy, onReader, bytes, LibCudart.cudaMemcpyDeviceToDevice, reader.stream),
                "cudaMemcpyAsync");
    }

    /** To the host on the ring's GPU, and from there on the reader's. */
    private void stage() {
        ring.use();
        check(
                LibCudart.cudaMemcpyAsync(pinned, onRing, bytes, LibCudart.cudaMemcpyDeviceToHost, ring.stream),
                "cudaMemcpyAsync");
        ring.await();
        reader.use();
        check(
                LibCudart.cudaMemcpyAsync(reader.copy, pinned, bytes, LibCudart.cudaMemcpyHostToDevice, reader.stream),
                "cudaMemcpyAsync");
    }

    /** The sum is to begin at 0, and the copy is not to be that of before. */
    private void clear(Side side) {
        check(LibCudart.cudaMemsetAsync(side.sum, 0, Integer.BYTES, side.stream), "cudaMemsetAsync");
        check(LibCudart.cudaMemsetAsync(side.copy, 0, bytes, side.stream), "cudaMemsetAsync");
        side.await();
    }

    private void requireRead(Side side, Way way) {
        check(
                LibCudart.cudaMemcpy(word.address(), side.sum, Integer.BYTES, LibCudart.cudaMemcpyDeviceToHost),
                "cudaMemcpy");
        int expected = (int) (bytes / 16 * 4 * (FILL * 0x01010101L));
        if (word.get(JAVA_INT, 0) != expected) {
            throw new IllegalStateException(way.words + ": the kernel has not read the frame: its sum is "
                    + word.get(JAVA_INT, 0) + ", and must be " + expected);
        }
    }

    private double micros(Way way, double percentile) {
        return times.get(way).getValueAtPercentile(percentile) / 1e3;
    }

    private String table(int rate) {
        StringBuilder table = new StringBuilder(String.format(
                Locale.ROOT,
                "%dx%d NV12, %d bytes, %d a second%n%-48s %9s %9s%n",
                WIDTH,
                HEIGHT,
                bytes,
                rate,
                "us",
                "p50",
                "p99"));
        times.forEach((way, histogram) -> table.append(
                String.format(Locale.ROOT, "%-48s %9.1f %9.1f%n", way.words, micros(way, 50), micros(way, 99))));
        return table.append(String.format(
                        Locale.ROOT,
                        "in place against staged: %.1fx; peer copy against staged: %.1fx; the copies alone: %.1fx%n",
                        micros(Way.STAGED, 50) / micros(Way.PLACE, 50),
                        micros(Way.STAGED, 50) / micros(Way.PEER, 50),
                        micros(Way.STAGED_COPY, 50) / micros(Way.PEER_COPY, 50)))
                .toString();
    }

    private JsonObject toJson(int rate) {
        JsonObject json = new JsonObject();
        json.addProperty("bytes", bytes);
        json.addProperty("rate", rate);
        json.addProperty("ring_device", ring.device);
        json.addProperty("reader_device", reader.device);
        JsonObject ways = new JsonObject();
        times.forEach((way, histogram) -> {
            JsonObject one = new JsonObject();
            one.addProperty("p50_us", micros(way, 50));
            one.addProperty("p99_us", micros(way, 99));
            one.addProperty("count", histogram.getTotalCount());
            ways.add(way.name().toLowerCase(Locale.ROOT), one);
        });
        json.add("ways", ways);
        return json;
    }

    private static void check(int status, String call) {
        if (status != LibCudart.cudaSuccess) {
            throw new IllegalStateException(call + " failed: " + status + " " + LibCudart.cudaGetErrorName(status));
        }
    }
}
