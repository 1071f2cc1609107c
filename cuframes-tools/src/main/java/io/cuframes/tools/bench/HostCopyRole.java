// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import io.cuframes.ffm.LibCudart;

/** The way without shared device memory: the writer copies the frame to shared host memory, the reader copies it to its own device memory. */
final class HostCopyRole {
    private HostCopyRole() {}

    private static HandOver open(RoleSpec spec, Gpu gpu) {
        HandOver page = new HandOver(spec, true);
        if (spec.mode() == Mode.HOST_COPY_PINNED) {
            gpu.register(page.pixels());
        }
        return page;
    }

    static RoleResult publisher(RoleSpec spec) throws InterruptedException {
        Gpu gpu = new Gpu(spec.device());
        HandOver page = open(spec, gpu);
        long frame = gpu.allocate(spec.frameBytes());
        Meeting meeting = new Meeting(spec);
        meeting.ready("publisher");
        meeting.await("subscriber-0");
        RoleResult result = new RoleResult(spec);
        Pace pace = new Pace(spec.rate(), true);
        long cpu = 0;
        for (int number = 1; number <= spec.total(); number++) {
            if (number == spec.warmup() + 1) {
                cpu = RoleResult.cpuNow();
            }
            long start = System.nanoTime();
            gpu.fill(frame, spec.frameBytes(), number);
            gpu.copy(page.pixels(number % HandOver.SLOTS), frame, spec.frameBytes(), LibCudart.cudaMemcpyDeviceToHost);
            gpu.synchronize();
            page.announce(number, start);
            page.awaitDone(number);
            pace.await();
        }
        result.frames = spec.frames();
        result.cpuNanos = RoleResult.cpuNow() - cpu;
        return result;
    }

    static RoleResult subscriber(RoleSpec spec) throws InterruptedException {
        Gpu gpu = new Gpu(spec.device());
        Meeting meeting = new Meeting(spec);
        meeting.await("publisher");
        HandOver page = open(spec, gpu);
        long frame = gpu.allocate(spec.frameBytes());
        meeting.ready("subscriber-0");
        Reading reading = new Reading(spec);
        for (int number = 1; number <= spec.total(); number++) {
            long start = page.awaitFrame(number);
            gpu.copy(frame, page.pixels(number % HandOver.SLOTS), spec.frameBytes(), LibCudart.cudaMemcpyHostToDevice);
            int word = gpu.readLast(frame, spec.frameBytes(), gpu.stream());
            reading.take(number, start, word);
            page.setDone(number);
        }
        return reading.result();
    }
}
