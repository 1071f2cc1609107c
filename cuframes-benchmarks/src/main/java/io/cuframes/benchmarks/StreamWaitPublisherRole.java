// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import io.cuframes.ffm.LibCudart;

/** The classic way's publisher: memset, record of an IPC event, and the number of the frame in shared memory at once. */
final class StreamWaitPublisherRole {
    private StreamWaitPublisherRole() {}

    public static void main(String[] args) {
        int frames = Integer.parseInt(args[0]);
        Gpu gpu = new Gpu();
        StreamWaitPage page = new StreamWaitPage(args[1]);
        long[] slots = new long[StreamWaitPage.SLOTS];
        long[] events = new long[StreamWaitPage.SLOTS];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = gpu.allocate(Gpu.FRAME_BYTES);
            events[i] = gpu.newEvent(LibCudart.cudaEventDisableTiming | LibCudart.cudaEventInterprocess);
            Gpu.check(LibCudart.cudaIpcGetMemHandle(page.memoryHandle(i), slots[i]), "cudaIpcGetMemHandle");
            Gpu.check(LibCudart.cudaIpcGetEventHandle(page.eventHandle(i), events[i]), "cudaIpcGetEventHandle");
        }
        page.setReady();
        page.awaitDone(1); // the subscriber has opened everything
        for (int i = 1; i <= frames; i++) {
            int slot = i % slots.length;
            long start = System.nanoTime();
            gpu.fill(slots[slot], i, gpu.stream());
            Gpu.check(LibCudart.cudaEventRecord(events[slot], gpu.stream()), "cudaEventRecord");
            page.announce(i, start);
            page.awaitDone(i + 1L);
            Gpu.pace(start);
        }
    }
}
