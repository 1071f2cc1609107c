// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import io.cuframes.WaitStrategy;

/**
 * What a process of a case has to do; travels as JSON on its command line.
 *
 * @param role which part it plays
 * @param mode the way
 * @param strategy how readers wait; null where there is no choice
 * @param subscribers reading processes
 * @param streams streams of the writing process
 * @param index which of the readers this is, from 0
 * @param frames counted, of each stream
 * @param warmup frames before them
 * @param rate frames a second, of each stream
 * @param width pixels
 * @param height pixels
 * @param slots of a ring
 * @param device ordinal
 * @param readerDevice ordinal of the one that {@link Mode#CUDA_VMM_OTHER} reads on; -1 where none was said
 * @param directory what the processes of a case meet in
 * @param key beginning of the streams' keys
 * @param originNanos {@link System#nanoTime()} of the run's begin, which is one clock for all processes of a host
 * @param limitSeconds after which it gives up
 */
record RoleSpec(
        Role role,
        Mode mode,
        WaitStrategy strategy,
        int subscribers,
        int streams,
        int index,
        int frames,
        int warmup,
        int rate,
        int width,
        int height,
        int slots,
        int device,
        int readerDevice,
        String directory,
        String key,
        long originNanos,
        int limitSeconds) {
    /** The parts. */
    enum Role {
        /** Says which modes this machine can do, and why not the others. */
        PROBE,
        /** Writes and reads, in one process. */
        BOTH,
        /** Writes. */
        PUBLISHER,
        /** Reads. */
        SUBSCRIBER
    }

    /** Frames of a stream, those of the warm-up included. */
    int total() {
        return warmup + frames;
    }

    long frameBytes() {
        return (long) width * height * 3 / 2;
    }

    /** The device that readers of the mode read on. */
    int readDevice() {
        return mode.isReadElsewhere() ? readerDevice : device;
    }

    String key(int stream) {
        return key + "-" + stream;
    }

    /** The byte that the pixels of a frame are filled with. */
    static int fillOf(long number) {
        return (int) (number % 251);
    }

    /** What the last four bytes of a frame must be. */
    static int wordOf(long number) {
        return fillOf(number) * 0x0101_0101;
    }
}
