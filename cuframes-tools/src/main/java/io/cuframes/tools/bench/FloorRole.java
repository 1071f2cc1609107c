// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import io.cuframes.ffm.LibCudart;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/** The same work in one process, which cannot be undercut. */
final class FloorRole {
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final long DONE = 64;
    private static final int PAGE = 4096;

    private FloorRole() {}

    /** A fill on one stream; an event, or a word the host waits for; the read on another stream. */
    static RoleResult onGpu(RoleSpec spec) {
        Gpu gpu = new Gpu(spec.device());
        long frame = gpu.allocate(spec.frameBytes());
        long reader = gpu.newStream();
        long event = gpu.newEvent(LibCudart.cudaEventDisableTiming);
        boolean byHost = spec.mode() == Mode.FLOOR_BY_HOST;
        MemorySegment page = Arena.global().allocate(PAGE, PAGE);
        long word = byHost ? gpu.map(page) : 0;
        RoleResult result = new RoleResult(spec);
        Recording latency = result.recording(RoleResult.What.LATENCY);
        Pace pace = new Pace(spec.rate(), true);
        long cpu = 0;
        for (int number = 1; number <= spec.total(); number++) {
            if (number == spec.warmup() + 1) {
                cpu = RoleResult.cpuNow();
            }
            long start = System.nanoTime();
            gpu.fill(frame, spec.frameBytes(), number);
            if (byHost) {
                gpu.write(word, number);
                while ((long) LONG.getAcquire(page, 0L) < number) {
                    Thread.onSpinWait();
                }
            } else {
                gpu.record(event);
                gpu.waitFor(event, reader);
            }
            int last = gpu.readLast(frame, spec.frameBytes(), reader);
            long now = System.nanoTime();
            if (number > spec.warmup()) {
                latency.add(now, now - start);
                result.frames++;
                result.wrong += last == RoleSpec.wordOf(number) ? 0 : 1;
            }
            pace.await();
        }
        result.cpuNanos = RoleResult.cpuNow() - cpu;
        return result;
    }

    /** A fill by one thread, a word in memory, the read by another thread. */
    static RoleResult onHost(RoleSpec spec) throws InterruptedException {
        MemorySegment frame = Arena.global().allocate(spec.frameBytes(), 64);
        MemorySegment starts = Arena.global().allocate(Long.BYTES, 64);
        MemorySegment words = Arena.global().allocate(2 * DONE, 64);
        RoleResult result = new RoleResult(spec);
        long[] cpu = new long[1];
        Thread writer = new Thread(
                () -> {
                    Pace pace = new Pace(spec.rate(), true);
                    for (long number = 1; number <= spec.total(); number++) {
                        if (number == spec.warmup() + 1L) {
                            cpu[0] = RoleResult.cpuNow();
                        }
                        starts.set(ValueLayout.JAVA_LONG, 0, System.nanoTime()); // ordered by the word that follows
                        frame.fill((byte) RoleSpec.fillOf(number));
                        LONG.setRelease(words, 0L, number);
                        while ((long) LONG.getAcquire(words, DONE) < number) {
                            Thread.onSpinWait();
                        }
                        pace.await();
                    }
                },
                "bench-writer");
        writer.setDaemon(true);
        writer.start();
        Recording latency = result.recording(RoleResult.What.LATENCY);
        for (long number = 1; number <= spec.total(); number++) {
            while ((long) LONG.getAcquire(words, 0L) < number) {
                Thread.onSpinWait();
            }
            int word = frame.get(ValueLayout.JAVA_INT_UNALIGNED, spec.frameBytes() - 4);
            long now = System.nanoTime();
            long start = starts.get(ValueLayout.JAVA_LONG, 0);
            LONG.setRelease(words, DONE, number);
            if (number > spec.warmup()) {
                latency.add(now, now - start);
                result.frames++;
                result.wrong += word == RoleSpec.wordOf(number) ? 0 : 1;
            }
        }
        writer.join();
        result.cpuNanos = RoleResult.cpuNow() - cpu[0];
        return result;
    }
}
