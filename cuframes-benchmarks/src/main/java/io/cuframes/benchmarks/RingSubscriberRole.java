// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import io.cuframes.Frame;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.WaitStrategy;
import java.nio.file.Path;
import java.time.Duration;

/** This library's subscriber: next, then the read. */
final class RingSubscriberRole {
    private RingSubscriberRole() {}

    public static void main(String[] args) {
        int frames = Integer.parseInt(args[0]);
        Gpu gpu = new Gpu();
        Latencies latencies = new Latencies(frames);
        Duration timeout = Duration.ofSeconds(5);
        try (Subscriber subscriber = Subscriber.builder("benchmark-" + args[2])
                .socketDirectory(Path.of(args[1]))
                .mode(SubscriberMode.STRICT_ORDER)
                .waitStrategy(WaitStrategy.valueOf(args[2]))
                .connectTimeout(Duration.ofSeconds(30))
                .open()) {
            try {
                while (true) {
                    try (Frame frame = subscriber.next(timeout)) {
                        if (frame != null) {
                            gpu.readLast(frame.plane(0).pointer().address(), gpu.stream());
                            latencies.add(System.nanoTime() - frame.ptsNanos());
                        }
                    }
                }
            } catch (PublisherGoneException e) {
                if (subscriber.received() + subscriber.missed() != frames
                        || e.reason() != PublisherGoneException.Reason.ENDED) {
                    throw e;
                }
            }
        }
        latencies.print((args[3].equals("CUDA_VMM") ? "vmm " : "ipc ") + args[2]);
    }
}
