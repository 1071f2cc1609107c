// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import com.google.gson.JsonObject;
import io.cuframes.Frame;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.ffm.LibCudart;
import io.cuframes.javacv.FrameStamp;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * A service that reads several streams, each in order and by a thread of its own, and checks the number in the pixels of every so many frames. It is told
 * what to do by lines: {@code go} begins to count, {@code stop} prints the counts as a line of JSON and ends, as the end of standard input does.
 *
 * <p>Arguments: socket directory, each how many frames one is checked, the GPU to read on or -1, and the keys. On a GPU that is named every frame is
 * copied to memory of that GPU, as a detector does that has its own, and the lease is left to the GPU. Prints {@code connected} once all streams are there.
 */
public final class StreamReaders {
    private static final Duration SLICE = Duration.ofMillis(200);
    private static final Duration CONNECT = Duration.ofSeconds(60);

    private StreamReaders() {}

    /** A stream's thread; its counts are looked at once it has ended. */
    private static final class Reader extends Thread {
        private final Subscriber subscriber;
        private final int checkEvery;
        private final MemorySegment copy;

        /** In the memory of the GPU that reads; 0 where frames stay where they are. */
        private final long deviceCopy;

        private final Histogram latency = new Histogram(1, 10_000_000_000L, 3);
        private volatile boolean counting;
        private volatile boolean stopping;
        private long frames;
        private long gaps;
        private long checked;
        private long torn;
        private String failure;

        Reader(String key, Path directory, int checkEvery, int device) {
            super("reader-" + key);
            setDaemon(true);
            this.checkEvery = checkEvery;
            Subscriber.Builder builder = Subscriber.builder(key)
                    .socketDirectory(directory)
                    .mode(SubscriberMode.STRICT_ORDER)
                    .connectTimeout(CONNECT)
                    .name("readers");
            subscriber = (device < 0 ? builder : builder.device(device)).open();
            deviceCopy = device < 0 ? 0 : allocate(device, subscriber.format().frameBytes());
            copy = Arena.global().allocate(subscriber.format().frameBytes(), 64);
        }

        private static long allocate(int device, long bytes) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
                check(LibCudart.cudaSetDevice(device), "cudaSetDevice");
                check(LibCudart.cudaMalloc(out, bytes), "cudaMalloc");
                return out.get(ValueLayout.JAVA_LONG, 0);
            }
        }

        private static void check(int status, String call) {
            if (status != LibCudart.cudaSuccess) {
                throw new IllegalStateException(call + " failed: " + status);
            }
        }

        @Override
        public void run() {
            try (subscriber) {
                if (deviceCopy != 0) {
                    check(LibCudart.cudaSetDevice(subscriber.deviceOrdinal()), "cudaSetDevice");
                }
                while (!stopping) {
                    try (Frame frame = subscriber.next(SLICE)) {
                        if (frame != null && counting) {
                            take(frame);
                        }
                    }
                }
            } catch (RuntimeException e) {
                failure = e.toString();
            }
        }

        private void take(Frame frame) {
            latency.recordValue(Math.max(1, Math.min(10_000_000_000L, System.nanoTime() - frame.publishTimeNanos())));
            gaps += frames == 0 ? 0 : frame.missed(); // what passed before this reader counted is no gap
            if (frames++ % checkEvery == 0) {
                frame.copyTo(copy);
                checked++;
                if (FrameStamp.read(copy, frame.plane(0).pitch(), frame.width(), frame.height()) < 0) {
                    torn++;
                }
            }
            if (deviceCopy != 0) {
                check(
                        LibCudart.cudaMemcpyAsync(
                                deviceCopy,
                                frame.plane(0).pointer().address(),
                                frame.sizeBytes(),
                                LibCudart.cudaMemcpyDeviceToDevice,
                                subscriber.stream()),
                        "cudaMemcpyAsync");
                frame.closeOn(subscriber.stream());
            }
        }
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        List<Reader> readers = new ArrayList<>();
        for (String key : List.of(args).subList(3, args.length)) {
            readers.add(new Reader(key, Path.of(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2])));
        }
        readers.forEach(Thread::start);
        System.out.println("connected");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.equals("go")) {
                readers.forEach(reader -> reader.counting = true);
            } else if (line.equals("stop")) {
                System.out.println(counts(readers));
                break;
            }
        }
        System.out.flush();
        System.exit(0);
    }

    private static JsonObject counts(List<Reader> readers) throws InterruptedException {
        Histogram latency = new Histogram(1, 10_000_000_000L, 3);
        JsonObject json = new JsonObject();
        long frames = 0;
        long gaps = 0;
        long checked = 0;
        long torn = 0;
        StringBuilder failures = new StringBuilder();
        for (Reader reader : readers) {
            reader.counting = false;
            reader.stopping = true;
        }
        for (Reader reader : readers) {
            reader.join();
            frames += reader.frames;
            gaps += reader.gaps;
            checked += reader.checked;
            torn += reader.torn;
            latency.add(reader.latency);
            if (reader.failure != null) {
                failures.append(reader.getName())
                        .append(": ")
                        .append(reader.failure)
                        .append('\n');
            }
        }
        json.addProperty("frames", frames);
        json.addProperty("gaps", gaps);
        json.addProperty("checked", checked);
        json.addProperty("torn", torn);
        json.addProperty("publish_to_next_p50_us", latency.getValueAtPercentile(50) / 1e3);
        json.addProperty("publish_to_next_p99_us", latency.getValueAtPercentile(99) / 1e3);
        json.addProperty("failures", failures.toString());
        return json;
    }
}
