// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import io.cuframes.Frame;
import io.cuframes.Publisher;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.WritableFrame;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** This library: publishers, one thread for each stream, and strict subscribers, one thread for each stream too. When a frame began travels as its pts. */
final class RingRole {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(60);

    private RingRole() {}

    static RoleResult publisher(RoleSpec spec) throws InterruptedException {
        List<Publisher> publishers = new ArrayList<>();
        try {
            for (int stream = 0; stream < spec.streams(); stream++) {
                publishers.add(open(spec, stream));
            }
            List<Gpu> gpus = gpus(spec, spec.device());
            Meeting meeting = new Meeting(spec);
            for (int reader = 0; reader < spec.subscribers(); reader++) {
                meeting.await("subscriber-" + reader);
            }
            return onThreads(spec, stream -> publish(spec, publishers.get(stream), gpus.get(stream)));
        } finally {
            publishers.forEach(Publisher::close);
        }
    }

    /** One for each stream's thread, made before the first frame; null for each where there is none. */
    private static List<Gpu> gpus(RoleSpec spec, int device) {
        List<Gpu> gpus = new ArrayList<>();
        for (int stream = 0; stream < spec.streams(); stream++) {
            gpus.add(spec.mode().needsGpu() ? new Gpu(device) : null);
        }
        return gpus;
    }

    private static Publisher open(RoleSpec spec, int stream) {
        return Publisher.builder(spec.key(stream))
                .socketDirectory(Path.of(spec.directory()))
                .transport(spec.mode().transport())
                .device(spec.device())
                .size(spec.width(), spec.height())
                .slots(spec.slots())
                .maxSubscribers(spec.subscribers())
                .open();
    }

    /** What a thread does for a stream. */
    private interface StreamWork {
        RoleResult run(int stream) throws InterruptedException;
    }

    private static RoleResult onThreads(RoleSpec spec, StreamWork work) throws InterruptedException {
        if (spec.streams() == 1) {
            return work.run(0);
        }
        ExecutorService threads = Executors.newFixedThreadPool(spec.streams());
        try {
            List<Callable<RoleResult>> tasks = new ArrayList<>();
            for (int i = 0; i < spec.streams(); i++) {
                int stream = i;
                tasks.add(() -> work.run(stream));
            }
            RoleResult all = new RoleResult(spec);
            long cpu = 0;
            for (Future<RoleResult> each : threads.invokeAll(tasks)) {
                all.add(each.get());
                cpu = Math.max(cpu, each.get().cpuNanos);
            }
            all.cpuNanos = cpu; // each thread has asked for that of the whole process, and spun for itself
            return all;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } finally {
            threads.shutdownNow();
        }
    }

    private static RoleResult publish(RoleSpec spec, Publisher publisher, Gpu gpu) {
        if (gpu != null) {
            gpu.useHere();
        }
        RoleResult result = new RoleResult(spec);
        Recording publishing = result.recording(RoleResult.What.PUBLISH);
        Recording acquiring = result.recording(RoleResult.What.ACQUIRE);
        Pace pace = new Pace(spec.rate(), spec.streams() == 1);
        long cpu = 0;
        long spun = 0;
        for (int i = 1; i <= spec.total(); i++) {
            long number = publisher.published() + 1;
            boolean counted = number > spec.warmup();
            if (number == spec.warmup() + 1L) {
                cpu = RoleResult.cpuNow();
                spun = pace.spunNanos();
            }
            long start = System.nanoTime();
            try (WritableFrame frame = publisher.acquire()) {
                if (frame == null) {
                    result.dropped += counted ? 1 : 0; // readers hold every slot
                } else {
                    long acquired = System.nanoTime();
                    fill(gpu, frame, spec, number);
                    long before = System.nanoTime();
                    if (gpu == null) {
                        frame.publish(start);
                    } else {
                        frame.publish(gpu.stream(), start);
                    }
                    long after = System.nanoTime();
                    if (counted) {
                        acquiring.add(acquired, acquired - start);
                        publishing.add(after, after - before);
                        result.frames++;
                    }
                }
            }
            pace.await();
        }
        result.cpuNanos = RoleResult.cpuNow() - cpu;
        result.spunNanos = pace.spunNanos() - spun;
        return result;
    }

    private static void fill(Gpu gpu, WritableFrame frame, RoleSpec spec, long number) {
        if (gpu != null) {
            gpu.fill(frame.plane(0).pointer().address(), spec.frameBytes(), number);
            return;
        }
        byte value = (byte) RoleSpec.fillOf(number);
        frame.plane(0).segment().fill(value);
        frame.plane(1).segment().fill(value);
    }

    static RoleResult subscriber(RoleSpec spec) throws InterruptedException {
        List<Subscriber> subscribers = new ArrayList<>();
        try {
            for (int stream = 0; stream < spec.streams(); stream++) {
                subscribers.add(subscribe(spec, stream));
            }
            List<Gpu> gpus = gpus(spec, spec.readDevice());
            new Meeting(spec).ready("subscriber-" + spec.index());
            return onThreads(spec, stream -> read(spec, subscribers.get(stream), gpus.get(stream)));
        } finally {
            subscribers.forEach(Subscriber::close);
        }
    }

    private static Subscriber subscribe(RoleSpec spec, int stream) {
        Subscriber.Builder builder = Subscriber.builder(spec.key(stream))
                .socketDirectory(Path.of(spec.directory()))
                .mode(SubscriberMode.STRICT_ORDER)
                .waitStrategy(spec.strategy())
                .connectTimeout(CONNECT_TIMEOUT)
                .name("bench");
        return (spec.mode().needsGpu() ? builder.device(spec.readDevice()) : builder).open();
    }

    private static RoleResult read(RoleSpec spec, Subscriber subscriber, Gpu gpu) {
        if (gpu != null) {
            gpu.useHere();
        }
        Reading reading = new Reading(spec);
        try {
            while (true) {
                try (Frame frame = subscriber.next(TIMEOUT)) {
                    if (frame != null) {
                        long noticed = System.nanoTime();
                        int word = lastWord(gpu, frame, spec);
                        reading.take(frame.seq(), frame.ptsNanos(), word);
                        reading.notice(frame.seq(), frame.publishTimeNanos(), noticed);
                    }
                }
            }
        } catch (PublisherGoneException e) {
            if (e.reason() != PublisherGoneException.Reason.ENDED) {
                throw e;
            }
        }
        return reading.result();
    }

    private static int lastWord(Gpu gpu, Frame frame, RoleSpec spec) {
        if (gpu != null) {
            return gpu.readLast(frame.plane(0).pointer().address(), spec.frameBytes(), gpu.stream());
        }
        MemorySegment plane = frame.plane(1).segment();
        return plane.get(ValueLayout.JAVA_INT_UNALIGNED, plane.byteSize() - 4);
    }
}
