// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import io.cuframes.WaitStrategy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What is to be measured.
 *
 * @param modes in the order in which they are run
 * @param waits how readers of a ring wait
 * @param subscribers reading processes, one number for each step of the sweep
 * @param streams streams of the one writing process, all of which every reading process reads; as above
 * @param frames counted, of each stream
 * @param warmup frames before them, of each stream
 * @param rate frames a second, of each stream
 * @param width pixels of an NV12 frame
 * @param height pixels
 * @param slots of a ring
 * @param rounds how often everything is run, the cases in turn; figures are the medians of the rounds
 * @param device ordinal
 * @param readerDevice ordinal of the one that {@link Mode#CUDA_VMM_OTHER} reads on; -1 where none was said
 * @param pin whether each process is kept to cores of its own
 * @param out where the files go; null for none
 */
public record BenchPlan(
        List<Mode> modes,
        List<WaitStrategy> waits,
        List<Integer> subscribers,
        List<Integer> streams,
        int frames,
        int warmup,
        int rate,
        int width,
        int height,
        int slots,
        int rounds,
        int device,
        int readerDevice,
        boolean pin,
        Path out) {
    /** The cases of a round: rings with every way of waiting and every number of streams and subscribers, the others once. */
    List<BenchCase> cases() {
        List<BenchCase> cases = new ArrayList<>();
        for (Mode mode : modes) {
            if (!mode.isRing()) {
                cases.add(new BenchCase(mode, null, 1, 1));
                continue;
            }
            for (WaitStrategy wait : waits) {
                for (int streamCount : streams) {
                    subscribers.forEach(readers -> cases.add(new BenchCase(mode, wait, readers, streamCount)));
                }
            }
        }
        return cases;
    }

    /** Bytes of a frame without padding. */
    long frameBytes() {
        return (long) width * height * 3 / 2;
    }

    /** How long a case publishes, seconds. */
    double seconds() {
        return (double) (frames + warmup) / rate;
    }
}
