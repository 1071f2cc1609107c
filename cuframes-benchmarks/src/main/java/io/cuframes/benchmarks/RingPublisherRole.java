// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.nio.file.Path;

/** This library's publisher: memset and publish on one stream; the start time travels as the pts. */
final class RingPublisherRole {
    private RingPublisherRole() {}

    public static void main(String[] args) {
        int frames = Integer.parseInt(args[0]);
        Gpu gpu = new Gpu();
        Latencies calls = new Latencies(frames);
        try (Publisher publisher = Publisher.builder("benchmark-" + args[2])
                .socketDirectory(Path.of(args[1]))
                .transport(Transport.valueOf(args[3]))
                .size(1920, 1080)
                .open()) {
            while (publisher.subscribers() == 0) {
                Thread.onSpinWait();
            }
            Gpu.pace(System.nanoTime() + 200_000_000); // the subscriber still opens the ring
            for (int i = 1; i <= frames; i++) {
                long start = System.nanoTime();
                try (WritableFrame frame = publisher.acquire()) {
                    gpu.fill(frame.plane(0).pointer().address(), i, gpu.stream());
                    long beforePublish = System.nanoTime();
                    frame.publish(gpu.stream(), start);
                    calls.add(System.nanoTime() - beforePublish);
                }
                Gpu.pace(start);
            }
        }
        calls.print("  publish()");
    }
}
