// SPDX-License-Identifier: Apache-2.0
package io.cuframes.fuzz;

import com.sun.management.ThreadMXBean;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.Posix;
import io.cuframes.testing.StreamFixture;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * What every run has to keep to: it ends in time, allocates little, keeps no descriptor and no mapping, and throws what is documented or nothing.
 * Anything else is thrown on, and so found by the fuzzer.
 */
public final class Limits {
    /** Far more than any run takes on a busy machine. */
    private static final long NANOS = 10_000_000_000L;

    /** A segment's header, a message and an exception take some tens of kilobytes, and the fuzzer's own instrumentation some. */
    private static final long ALLOCATED_BYTES = 1 << 20;

    /** How often the mappings are listed, which takes longer than a run. */
    private static final int RUNS_PER_LISTING = 256;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final Set<ErrorCode> documented;
    private int runs;
    private int lowestFree = -1;
    private List<String> mappings;

    /**
     * For one target.
     *
     * @param documented the codes that its exceptions may have
     */
    public Limits(ErrorCode... documented) {
        this.documented = Set.of(documented);
    }

    /** What is run. */
    public interface Target {
        void run();
    }

    /**
     * Runs it within the limits.
     *
     * @return whether it succeeded, rather than refused
     */
    public boolean check(Target target) {
        if (lowestFree < 0) {
            attempt(target); // loads what stays open for good
            lowestFree = lowestFreeDescriptor();
            mappings = StreamFixture.mappings();
        }
        long start = System.nanoTime();
        long allocated = THREADS.getCurrentThreadAllocatedBytes();
        boolean succeeded = attempt(target);
        long bytes = THREADS.getCurrentThreadAllocatedBytes() - allocated;
        long nanos = System.nanoTime() - start;
        require(nanos < NANOS, "it took " + nanos + " ns");
        if (bytes
                >= ALLOCATED_BYTES) { // classes that it was the first to use were loaded and instrumented: that counts
            // once
            allocated = THREADS.getCurrentThreadAllocatedBytes();
            attempt(target);
            bytes = THREADS.getCurrentThreadAllocatedBytes() - allocated;
            require(bytes < ALLOCATED_BYTES, "it allocated " + bytes + " bytes");
        }
        checkNothingKept();
        return succeeded;
    }

    /** Descriptors are numbered from the lowest that is free, so that one more or less moves the next. */
    private void checkNothingKept() {
        int free = lowestFreeDescriptor();
        if (free != lowestFree) {
            require(
                    free < lowestFree,
                    "descriptor " + lowestFree + " was kept: " + target(lowestFree) + ", of "
                            + StreamFixture.descriptors());
            lowestFree = free;
        }
        if (runs++ % RUNS_PER_LISTING == 0) {
            List<String> now = StreamFixture.mappings();
            require(now.equals(mappings), "mappings were " + mappings + " and are " + now);
        }
    }

    private static int lowestFreeDescriptor() {
        try (Descriptor descriptor = Posix.open(Path.of("/dev/null"), 0, 0)) {
            return descriptor.fd();
        }
    }

    private static String target(int fd) {
        return Path.of("/proc/self/fd/" + fd).toString();
    }

    private boolean attempt(Target target) {
        try {
            target.run();
            return true;
        } catch (CuframesException e) {
            if (!documented.contains(e.code())) {
                throw new AssertionError("code " + e.code() + " is not documented for it: " + e.getMessage(), e);
            }
            require(e.getMessage() != null && e.getMessage().length() > 10, "no message: " + e);
            return false;
        }
    }

    /** Fails the run. */
    public static void require(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what);
        }
    }
}
