// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import io.cuframes.ffm.LibCudart;

/** One process: memset on one stream, an event, the read on another stream. */
final class FloorRole {
    private FloorRole() {}

    public static void main(String[] args) {
        int frames = Integer.parseInt(args[0]);
        Gpu gpu = new Gpu();
        long frame = gpu.allocate(Gpu.FRAME_BYTES);
        long reader = gpu.newStream();
        long event = gpu.newEvent(LibCudart.cudaEventDisableTiming);
        Latencies latencies = new Latencies(frames);
        for (int i = 1; i <= frames; i++) {
            long start = System.nanoTime();
            gpu.fill(frame, i, gpu.stream());
            Gpu.check(LibCudart.cudaEventRecord(event, gpu.stream()), "cudaEventRecord");
            Gpu.check(LibCudart.cudaStreamWaitEvent(reader, event, 0), "cudaStreamWaitEvent");
            gpu.readLast(frame, reader);
            latencies.add(System.nanoTime() - start);
            Gpu.pace(start);
        }
        latencies.print("floor");
    }
}
