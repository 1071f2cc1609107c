// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import io.cuframes.Transport;
import io.cuframes.ffm.LibCudart;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * Hours in the life of a host: publishers in processes of their own, whose formats change, and readers that join and leave at random, some by kill -9. Every
 * frame that is read is checked. Every few seconds memory, descriptors, threads and the GPU's memory are sampled; at the end, once all readers are gone,
 * each publisher must have the descriptors and threads that it had before the first of them came, its memory must not have grown since the first quarter of
 * the time, and nothing may be left in the file system or on the GPU.
 *
 * <p>Options, each {@code name=value}: {@code transport} (HOST), {@code publishers} (4), {@code subscribers} (16), {@code per-process} (4: subscribers in a
 * process), {@code seconds} (600), {@code fps} (25), {@code width} (1280), {@code height} (720), {@code kill-every} (10: seconds between two kills of a
 * reader process; 0 for none), {@code seed} (1). The exit status is 0 if all was well, 1 if not.
 */
public final class Soak {
    private static final long SAMPLE_NANOS = 2_000_000_000;
    private static final long REPORT_NANOS = 60_000_000_000L;
    private static final long SETTLE_NANOS = 10_000_000_000L;

    /** How much more a publisher may have in RAM at the end than in the first quarter: a JVM's heap breathes, and formats differ in size. */
    private static final double GROWTH = 1.25;

    private static final long GROWTH_KIB = 32 * 1024;

    /** What a driver keeps for itself comes and goes; a context or a ring is more. */
    private static final long GPU_GRAIN = 64L << 20;

    private static final Map<String, String> DEFAULTS = Map.of(
            "transport", "HOST",
            "publishers", "4",
            "subscribers", "16",
            "per-process", "4",
            "seconds", "600",
            "fps", "25",
            "width", "1280",
            "height", "720",
            "kill-every", "10",
            "seed", "1");

    private final Map<String, String> options;
    private final String prefix = "soak-" + ProcessHandle.current().pid() + "-";
    private final Path directory;
    private final Random random;
    private final List<SoakProcess> publishers = new ArrayList<>();
    private final List<SoakProcess> readers = new ArrayList<>();
    private final List<List<SoakProcess.Sample>> samples = new ArrayList<>();
    private final List<SoakProcess.Sample> before = new ArrayList<>();
    private final List<String> complaints = new ArrayList<>();
    private final long[] readByTheGone = new long[5];
    private long readerSeed;
    private int kills;
    private long gpuBefore;
    private long gpuMost;

    private Soak(Map<String, String> options) throws IOException {
        this.options = options;
        this.random = new Random(number("seed"));
        this.directory = Files.createTempDirectory("cuframes-soak");
    }

    /** Runs it. */
    public static void main(String[] args) throws IOException {
        Map<String, String> options = new HashMap<>(DEFAULTS);
        for (String arg : args) {
            String[] pair = arg.split("=", 2);
            if (pair.length != 2 || !DEFAULTS.containsKey(pair[0])) {
                System.err.println(
                        "soak: \"" + arg + "\" is no option; NAME=VALUE, and names are " + DEFAULTS.keySet());
                System.exit(2);
            }
            options.put(pair[0], pair[1]);
        }
        System.exit(new Soak(options).run() ? 0 : 1);
    }

    private int number(String option) {
        return Integer.parseInt(options.get(option));
    }

    private boolean run() throws IOException {
        Transport transport = Transport.valueOf(options.get("transport"));
        gpuBefore = transport.isDevice() ? gpuUsed() : 0;
        System.out.println("soak: " + new TreeMap<>(options));
        try {
            startPublishers(transport);
            int processes = Math.ceilDiv(number("subscribers"), number("per-process"));
            for (int i = 0; i < processes; i++) {
                readers.add(startReaders(i));
            }
            watch(transport);
            end();
        } finally {
            Stream.concat(readers.stream(), publishers.stream()).forEach(SoakProcess::kill);
        }
        return judge(transport);
    }

    private void startPublishers(Transport transport) {
        for (int i = 0; i < number("publishers"); i++) {
            publishers.add(new SoakProcess(
                    SoakPublisherRole.class,
                    prefix + i,
                    directory,
                    transport,
                    number("width"),
                    number("height"),
                    number("fps"),
                    number("seed") + i));
            samples.add(new ArrayList<>());
        }
        for (SoakProcess publisher : publishers) {
            while (publisher.count(0) == 0) {
                require(publisher.isAlive(), "a publisher does not start");
                LockSupport.parkNanos(10_000_000);
            }
        }
        LockSupport.parkNanos(2_000_000_000); // its threads are those that it will have
        publishers.forEach(publisher -> before.add(publisher.sample()));
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new IllegalStateException(otherwise);
        }
    }

    /** The one of that number; the last has what the others leave. */
    private SoakProcess startReaders(int index) {
        int each = Math.min(number("per-process"), number("subscribers") - index * number("per-process"));
        readerSeed += 1000;
        return new SoakProcess(
                SoakReadersRole.class, each, prefix, number("publishers"), directory, number("seed") + readerSeed);
    }

    private void watch(Transport transport) {
        long start = System.nanoTime();
        long end = start + number("seconds") * 1_000_000_000L;
        long killNanos = number("kill-every") * 1_000_000_000L;
        long nextKill = killNanos == 0 ? Long.MAX_VALUE : start + killNanos;
        long nextReport = start + REPORT_NANOS;
        for (long now = start; now < end; now = System.nanoTime()) {
            for (int i = 0; i < publishers.size(); i++) {
                SoakProcess.Sample sample = publishers.get(i).sample();
                if (sample == null) {
                    complaints.add("publisher " + i + " has ended");
                    return;
                }
                samples.get(i).add(sample);
            }
            if (transport.isDevice()) {
                gpuMost = Math.max(gpuMost, gpuUsed());
            }
            for (SoakProcess reader : readers) {
                if (!reader.isAlive()) {
                    complaints.add("a reader process has ended by itself");
                    return;
                }
            }
            if (now >= nextKill) {
                nextKill = now + killNanos;
                replaceOne();
            }
            if (now >= nextReport) {
                nextReport += REPORT_NANOS;
                reportProgress((now - start) / 1_000_000_000L);
            }
            LockSupport.parkNanos(SAMPLE_NANOS);
        }
    }

    private void reportProgress(long seconds) {
        System.out.println("soak: " + seconds + " s of " + number("seconds") + ", " + kills
                + " reader processes killed; the publishers now: "
                + samples.stream().map(each -> each.getLast().toString()).toList()
                + (gpuMost > 0 ? ", VRAM at most " + (gpuMost >> 20) + " MiB" : ""));
    }

    private void replaceOne() {
        int index = random.nextInt(readers.size());
        SoakProcess victim = readers.get(index);
        victim.kill();
        kills++;
        count(victim);
        readers.set(index, startReaders(index));
    }

    private void count(SoakProcess reader) {
        for (int i = 0; i < readByTheGone.length; i++) {
            readByTheGone[i] += reader.count(i);
        }
    }

    /** Ends the readers, lets the publishers notice, samples them once more, and ends them. */
    private void end() {
        readers.forEach(SoakProcess::kill);
        readers.forEach(this::count);
        for (int i = 0; i < publishers.size(); i++) {
            SoakProcess publisher = publishers.get(i);
            SoakProcess.Sample first = before.get(i);
            long start = System.nanoTime();
            SoakProcess.Sample last = publisher.sample();
            while (last != null
                    && (last.descriptors() != first.descriptors() || last.threads() > first.threads())
                    && System.nanoTime() - start < SETTLE_NANOS) {
                LockSupport.parkNanos(100_000_000);
                last = publisher.sample();
            }
            if (last == null || last.descriptors() != first.descriptors() || last.threads() > first.threads()) {
                complaints.add("publisher " + i + " has " + last + " without readers, and had " + first);
            }
        }
        for (int i = 0; i < publishers.size(); i++) {
            if (!publishers.get(i).end()) {
                complaints.add("publisher " + i + " did not end well");
            }
        }
    }

    private boolean judge(Transport transport) throws IOException {
        System.out.println(
                "publisher  frames  formats  slowest acquire+publish  RSS MiB first quarter, last   descriptors most   threads most");
        for (int i = 0; i < publishers.size(); i++) {
            describe(i);
        }
        System.out.printf(
                Locale.ROOT,
                "readers: %d frames checked, %d damaged, %d missed by those that left, joined %d times, %d failures, %d"
                        + " processes killed%n",
                readByTheGone[0],
                readByTheGone[2],
                readByTheGone[1],
                readByTheGone[3],
                readByTheGone[4],
                kills);
        if (readByTheGone[0] == 0) {
            complaints.add("no frame was read");
        }
        if (readByTheGone[2] > 0) {
            complaints.add(readByTheGone[2] + " frames were damaged");
        }
        if (readByTheGone[4] > 0) {
            complaints.add(readByTheGone[4] + " readers failed");
        }
        if (transport.isDevice()) {
            judgeGpu();
        }
        List<Path> left = namesLeft();
        if (!left.isEmpty()) {
            complaints.add("left behind: " + left);
        }
        Files.deleteIfExists(directory);
        System.out.println(complaints.isEmpty() ? "verdict: all is well" : "verdict: FAILED: " + complaints);
        return complaints.isEmpty();
    }

    private void describe(int index) {
        SoakProcess publisher = publishers.get(index);
        List<SoakProcess.Sample> all = samples.get(index);
        int quarter = Math.max(1, all.size() / 4);
        long first = most(all.subList(0, Math.min(quarter, all.size())));
        long last = most(all.subList(Math.max(0, all.size() - quarter), all.size()));
        System.out.printf(
                Locale.ROOT,
                "%9d %7d %8d %20.2f ms %22d, %4d %18d %14d%n",
                index,
                publisher.count(0),
                publisher.count(2),
                publisher.count(1) / 1e6,
                first / 1024,
                last / 1024,
                all.stream().mapToInt(SoakProcess.Sample::descriptors).max().orElse(0),
                all.stream().mapToInt(SoakProcess.Sample::threads).max().orElse(0));
        if (last > first * GROWTH + GROWTH_KIB) {
            complaints.add("publisher " + index + " has grown from " + first + " to " + last + " KiB");
        }
    }

    private static long most(List<SoakProcess.Sample> some) {
        return some.stream().mapToLong(SoakProcess.Sample::residentKib).max().orElse(0);
    }

    private void judgeGpu() {
        long start = System.nanoTime();
        long after = gpuUsed();
        while (after - gpuBefore > GPU_GRAIN && System.nanoTime() - start < SETTLE_NANOS) {
            LockSupport.parkNanos(100_000_000);
            after = gpuUsed();
        }
        System.out.printf(
                Locale.ROOT,
                "GPU memory in use: %d MiB before, %d at most, %d after%n",
                gpuBefore >> 20,
                gpuMost >> 20,
                after >> 20);
        if (after - gpuBefore > GPU_GRAIN) {
            complaints.add(((after - gpuBefore) >> 20) + " MiB of GPU memory did not come back");
        }
    }

    private static long gpuUsed() {
        LibCudart.load();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment free = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment total = arena.allocate(ValueLayout.JAVA_LONG);
            int status = LibCudart.cudaMemGetInfo(free, total);
            if (status != LibCudart.cudaSuccess) {
                throw new IllegalStateException(
                        "cudaMemGetInfo failed: " + status + " " + LibCudart.cudaGetErrorName(status));
            }
            return total.get(ValueLayout.JAVA_LONG, 0) - free.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    private List<Path> namesLeft() {
        List<Path> left = new ArrayList<>();
        for (Path place : Arrays.asList(directory, Path.of("/dev/shm"))) {
            try (Stream<Path> files = Files.list(place)) {
                files.filter(file -> file.getFileName().toString().contains(prefix))
                        .forEach(left::add);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return left;
    }
}
