// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The CPU time of one camera's threads: the Java threads of its group (those of its source, and of its publisher's server, which are
 * begun by it and so are in it), and the threads that FFmpeg decodes with. What serves all cameras is in nobody's account: the JVM's own threads
 * (collector, compilers), the CUDA driver's, the one that reports. A thread that ends between two looks is counted up to the first of them.
 * Thread-safe.
 */
final class CameraCpu {
    /** Jiffies of {@code /proc}, {@code USER_HZ}: 100 a second to user space on x86-64 and arm64, whatever the kernel's own tick. */
    private static final long NANOS_PER_JIFFY = 10_000_000;

    /** Fields 14 and 15 of {@code /proc/self/task/N/stat}, counted behind the name, which is field 2. */
    private static final int UTIME = 11;

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private final ThreadGroup group;

    /** The latest figure of each Java thread, by its Java number; guarded by this, as is all below. */
    private final Map<Long, Long> javaNanos = new HashMap<>();

    /** The latest figure of each of FFmpeg's, by the kernel's number, which is used again. */
    private final Map<Long, Long> taskNanos = new HashMap<>();

    private long endedNanos;

    CameraCpu(ThreadGroup group) {
        this.group = group;
    }

    /**
     * Looks, and adds up.
     *
     * @param decoderTasks the kernel's numbers of FFmpeg's threads
     * @return nanoseconds since the beginning
     */
    synchronized long nanos(List<Long> decoderTasks) {
        Thread[] threads = new Thread[2 * group.activeCount() + 8];
        int count = group.enumerate(threads, true);
        for (int i = 0; i < count; i++) {
            long nanos = THREADS.getThreadCpuTime(threads[i].threadId());
            if (nanos >= 0) {
                javaNanos.put(threads[i].threadId(), nanos);
            }
        }
        for (long task : decoderTasks) {
            long nanos = ofTask(task);
            Long before = nanos < 0 ? null : taskNanos.put(task, nanos);
            if (before != null && nanos < before) {
                endedNanos += before; // another thread by the number of one that has ended
            }
        }
        return endedNanos + sum(javaNanos) + sum(taskNanos);
    }

    private static long sum(Map<Long, Long> figures) {
        return figures.values().stream().mapToLong(Long::longValue).sum();
    }

    /** User and system time of one thread of this process; -1 if it has ended. */
    private static long ofTask(long task) {
        try {
            String stat = Files.readString(Path.of("/proc/self/task/" + task + "/stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            return (Long.parseLong(fields[UTIME]) + Long.parseLong(fields[UTIME + 1])) * NANOS_PER_JIFFY;
        } catch (IOException e) {
            return -1;
        }
    }
}
