// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.ffm.LibCudart;
import io.cuframes.internal.cuda.Cuda;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;

/** On a GPU. Its free memory must come back, too, so nothing else should use the GPU meanwhile. */
abstract class GpuKillConformance extends KillConformance {
    private static final int ROUNDS = 100;

    /** What comes and goes is a process's context, hundreds of MiB, or a ring; what the driver keeps for itself is less. */
    private static final long GRAIN = 128L << 20;

    private static final long COMING_BACK_NANOS = 5_000_000_000L;

    private long usedAtFirst;

    GpuKillConformance(Transport transport) {
        super(transport, ROUNDS);
    }

    /** What the driver opens in this process at its first uses is nobody's leftover. */
    @BeforeEach
    void useTheDriver() {
        try (Publisher publisher = Publisher.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .transport(transport)
                        .size(64, 64)
                        .open();
                Subscriber subscriber = Subscriber.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .open();
                WritableFrame frame = publisher.acquire()) {
            frame.publish(1);
            subscriber.next(Duration.ofSeconds(20)).close();
        }
    }

    /** Victims that wait for their turn have no context yet. */
    @Override
    Transport rehearsal() {
        return Transport.HOST;
    }

    /** The driver takes a dead process's memory back some time after its end: what the round before left may still be there when a round begins. */
    @Override
    List<String> memory() {
        long end = System.nanoTime() + COMING_BACK_NANOS;
        long more = usedMore();
        while (more > GRAIN && System.nanoTime() < end) {
            LockSupport.parkNanos(10_000_000);
            more = usedMore();
        }
        return more > GRAIN ? List.of((more >> 20) + " MiB of GPU memory more") : List.of();
    }

    private long usedMore() {
        Cuda.useDevice(0);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment free = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment total = arena.allocate(ValueLayout.JAVA_LONG);
            Cuda.check(LibCudart.cudaMemGetInfo(free, total), "cudaMemGetInfo");
            long used = total.get(ValueLayout.JAVA_LONG, 0) - free.get(ValueLayout.JAVA_LONG, 0);
            if (usedAtFirst == 0) {
                usedAtFirst = used;
            }
            return used - usedAtFirst;
        }
    }
}
