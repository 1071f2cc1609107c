// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks.ipc;

import com.google.gson.JsonObject;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.BusySpinIdleStrategy;
import org.agrona.concurrent.IdleStrategy;

/**
 * A process of the comparison: Aeron's media driver, or one of the two ends of a way. Prints a line of JSON when it is ready or done, and ends when its
 * standard input does, however that comes about.
 */
public final class IpcRole {
    /** From how many cores on the driver's threads get one each. */
    static final int CORES_FOR_THE_DRIVER = 8;

    /** The largest MTU that Aeron has, so that a frame is as few fragments as can be. */
    private static final int MTU = 65_504;

    private static final int TERM = 64 << 20;

    private IpcRole() {}

    /**
     * Plays a part.
     *
     * @param arguments part (driver, first, second), way, task, directory, milliseconds
     */
    public static void main(String[] arguments) throws IOException {
        Thread limit = new Thread(() -> endWithParent(arguments), "ipc-stdin");
        limit.setDaemon(true);
        limit.start();
        Path directory = Path.of(arguments[3]);
        if (arguments[0].equals("driver")) {
            drive(directory);
            return;
        }
        Task task = Task.valueOf(arguments[2]);
        boolean first = arguments[0].equals("first");
        long nanos = TimeUnit.MILLISECONDS.toNanos(Long.parseLong(arguments[4]));
        try (Link link = open(arguments[1], task, first, directory)) {
            System.out.println(first ? firstEnd(link, task, nanos) : secondEnd(link, task, nanos));
            System.out.flush();
            waitForever(); // the other end may still look at what this one has
        }
    }

    private static Link open(String way, Task task, boolean first, Path directory) {
        return way.equals("aeron")
                ? new AeronLink(task, first, directory)
                : new RingLink(task, first, directory, way.equals("ring"));
    }

    private static void endWithParent(String[] arguments) {
        try {
            while (System.in.read() >= 0) {
                // whatever it says
            }
        } catch (IOException e) {
            // as good as its end
        }
        IpcComparison.cleanUp(
                Path.of(arguments[3]),
                ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(0L));
        Runtime.getRuntime().halt(0);
    }

    private static void waitForever() {
        while (true) {
            try {
                Thread.sleep(Long.MAX_VALUE);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** Aeron's driver: where there are cores for it, each of its threads has one to itself and spins. */
    private static void drive(Path directory) {
        boolean dedicated = Runtime.getRuntime().availableProcessors() >= CORES_FOR_THE_DRIVER;
        IdleStrategy idle = dedicated ? new BusySpinIdleStrategy() : new BackoffIdleStrategy(1, 1, 1_000, 1_000_000);
        MediaDriver.Context context = new MediaDriver.Context()
                .aeronDirectoryName(directory.toString())
                .dirDeleteOnStart(true)
                .threadingMode(dedicated ? ThreadingMode.DEDICATED : ThreadingMode.SHARED)
                .conductorIdleStrategy(idle)
                .senderIdleStrategy(idle)
                .receiverIdleStrategy(idle)
                .sharedIdleStrategy(idle)
                .termBufferSparseFile(false)
                .ipcTermBufferLength(TERM)
                .ipcMtuLength(MTU);
        try (MediaDriver driver = MediaDriver.launch(context)) {
            JsonObject json = new JsonObject();
            json.addProperty("version", MediaDriver.class.getPackage().getImplementationVersion());
            json.addProperty(
                    "threading", driver.context().threadingMode().name().toLowerCase(Locale.ROOT));
            json.addProperty("idle", dedicated ? "busy spin" : "backoff, 1 us to 1 ms");
            json.addProperty("term_bytes", TERM);
            json.addProperty("mtu_bytes", MTU);
            System.out.println(json);
            System.out.flush();
            waitForever();
        }
    }

    private static JsonObject firstEnd(Link link, Task task, long nanos) {
        Histogram histogram = new Histogram(1, TimeUnit.MINUTES.toNanos(10), 3);
        long begin = System.nanoTime();
        long number = 0;
        long now = begin;
        while (now - begin < nanos) {
            number++;
            long start = System.nanoTime();
            link.send(number, start);
            if (task == Task.ROUND_TRIP) {
                while (link.poll() == 0) {
                    Thread.onSpinWait();
                }
            }
            now = System.nanoTime();
            if (task == Task.ROUND_TRIP && now - begin > nanos / 4) {
                histogram.recordValue(now - start);
            }
            while (task.paced() > 0 && System.nanoTime() - start < 1_000_000_000L / task.paced()) {
                Thread.onSpinWait();
            }
        }
        link.send(Link.LAST, now);
        return result(histogram, number, now - begin, link.wrong());
    }

    private static JsonObject secondEnd(Link link, Task task, long nanos) {
        Histogram histogram = new Histogram(1, TimeUnit.MINUTES.toNanos(10), 3);
        long begin = 0;
        long countedFrom = 0;
        long counted = 0;
        long last = 0;
        while (link.number() != Link.LAST) {
            int taken = link.poll();
            if (taken == 0) {
                continue;
            }
            long now = System.nanoTime();
            begin = begin == 0 ? now : begin;
            if (link.number() == Link.LAST) {
                break;
            }
            if (task == Task.ROUND_TRIP) {
                link.send(link.number(), link.started());
            }
            if (now - begin > nanos / 4) { // the first quarter is warm-up
                if (countedFrom == 0) {
                    countedFrom = now;
                } else {
                    counted += taken;
                    last = now;
                    histogram.recordValue(Math.max(1, now - link.started()));
                }
            }
        }
        return result(histogram, counted, last - countedFrom, link.wrong());
    }

    private static JsonObject result(Histogram histogram, long messages, long nanos, long wrong) {
        JsonObject json = new JsonObject();
        json.addProperty("messages", messages);
        json.addProperty("wrong", wrong);
        json.addProperty("per_second", nanos > 0 ? messages / (nanos / 1e9) : 0);
        json.addProperty("p50_ns", histogram.getValueAtPercentile(50));
        json.addProperty("p99_ns", histogram.getValueAtPercentile(99));
        json.addProperty("p99_9_ns", histogram.getValueAtPercentile(99.9));
        json.addProperty("max_ns", histogram.getMaxValue());
        return json;
    }
}
