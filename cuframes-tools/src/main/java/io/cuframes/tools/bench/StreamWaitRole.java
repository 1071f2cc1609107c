// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import io.cuframes.ffm.LibCudart;

/** The classic way: the writer records an IPC event and says so at once, the reader's stream waits for the event. */
final class StreamWaitRole {
    private StreamWaitRole() {}

    static RoleResult publisher(RoleSpec spec) throws InterruptedException {
        Gpu gpu = new Gpu(spec.device());
        HandOver page = new HandOver(spec, false);
        long[] slots = new long[HandOver.SLOTS];
        long[] events = new long[HandOver.SLOTS];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = gpu.allocate(spec.frameBytes());
            events[i] = gpu.newEvent(LibCudart.cudaEventDisableTiming | LibCudart.cudaEventInterprocess);
            Gpu.check(LibCudart.cudaIpcGetMemHandle(page.memoryHandle(i), slots[i]), "cudaIpcGetMemHandle");
            Gpu.check(LibCudart.cudaIpcGetEventHandle(page.eventHandle(i), events[i]), "cudaIpcGetEventHandle");
        }
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
            int slot = number % slots.length;
            long start = System.nanoTime();
            gpu.fill(slots[slot], spec.frameBytes(), number);
            gpu.record(events[slot]);
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
        HandOver page = new HandOver(spec, false);
        long[] slots = new long[HandOver.SLOTS];
        long[] events = new long[HandOver.SLOTS];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = gpu.open(page.memoryHandle(i));
            events[i] = gpu.openEvent(page.eventHandle(i));
        }
        meeting.ready("subscriber-0");
        Reading reading = new Reading(spec);
        for (int number = 1; number <= spec.total(); number++) {
            int slot = number % slots.length;
            long start = page.awaitFrame(number);
            gpu.waitFor(events[slot], gpu.stream());
            int word = gpu.readLast(slots[slot], spec.frameBytes(), gpu.stream());
            reading.take(number, start, word);
            page.setDone(number);
        }
        return reading.result();
    }
}
