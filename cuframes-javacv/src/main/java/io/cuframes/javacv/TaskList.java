// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The threads of this process as the kernel lists them, to find out which of them FFmpeg began for a decoder: it does not tell. All decoders that
 * have threads are opened through here, one at a time, so the threads named by FFmpeg that appear meanwhile are the new decoder's.
 */
final class TaskList {
    /**
     * What was made, and the threads that came with it.
     *
     * @param result what was made
     * @param tasks their numbers
     */
    record Started<T>(T result, List<Long> tasks) {}

    private static final Path TASKS = Path.of("/proc/self/task");

    /** FFmpeg's frame and slice threads are called {@code av:h264:df0} and the like. */
    private static final String NAME_OF_FFMPEG = "av:";

    private static final long PATIENCE_NANOS = 100_000_000;
    private static final ReentrantLock LOCK = new ReentrantLock();

    private TaskList() {}

    /** Makes something, and finds the threads of FFmpeg that began with it. */
    static <T> Started<T> watch(Supplier<T> maker) {
        LOCK.lock();
        try {
            String own = name("thread-self");
            Set<Long> before = list();
            T result = maker.get();
            Set<Long> begun = list();
            begun.removeAll(before);
            return new Started<>(
                    result,
                    begun.stream().filter(task -> isNamedByFfmpeg(task, own)).toList());
        } finally {
            LOCK.unlock();
        }
    }

    /** A thread has its creator's name until it gives itself one, which may take a moment on a busy machine. */
    @SuppressWarnings("ThreadPriorityCheck") // that moment is the other thread's
    private static boolean isNamedByFfmpeg(long task, String creator) {
        long start = System.nanoTime();
        String name = name("self/task/" + task);
        while (name.equals(creator) && System.nanoTime() - start < PATIENCE_NANOS) {
            Thread.yield();
            name = name("self/task/" + task);
        }
        return name.startsWith(NAME_OF_FFMPEG);
    }

    private static Set<Long> list() {
        Set<Long> tasks = new HashSet<>();
        try (Stream<Path> entries = Files.list(TASKS)) {
            entries.forEach(
                    entry -> tasks.add(Long.parseLong(entry.getFileName().toString())));
        } catch (IOException e) {
            // without /proc nothing is accounted for, and everything works
        }
        return tasks;
    }

    private static String name(String task) {
        try {
            return Files.readString(Path.of("/proc", task, "comm")).strip();
        } catch (IOException e) {
            return ""; // it has ended
        }
    }
}
