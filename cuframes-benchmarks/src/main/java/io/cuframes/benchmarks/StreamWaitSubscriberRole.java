// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import io.cuframes.ffm.LibCudart;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The classic way's subscriber: its stream waits for the event, then the read. */
final class StreamWaitSubscriberRole {
    private StreamWaitSubscriberRole() {}

    public static void main(String[] args) {
        int frames = Integer.parseInt(args[0]);
        Gpu gpu = new Gpu();
        StreamWaitPage page = new StreamWaitPage(args[1]);
        page.awaitReady();
        long[] slots = new long[StreamWaitPage.SLOTS];
        long[] events = new long[StreamWaitPage.SLOTS];
        MemorySegment opened = Arena.global().allocate(ValueLayout.JAVA_LONG);
        for (int i = 0; i < slots.length; i++) {
            Gpu.check(
                    LibCudart.cudaIpcOpenMemHandle(
                            opened, page.memoryHandle(i), LibCudart.cudaIpcMemLazyEnablePeerAccess),
                    "cudaIpcOpenMemHandle");
            slots[i] = opened.get(ValueLayout.JAVA_LONG, 0);
            Gpu.check(LibCudart.cudaIpcOpenEventHandle(opened, page.eventHandle(i)), "cudaIpcOpenEventHandle");
            events[i] = opened.get(ValueLayout.JAVA_LONG, 0);
        }
        page.setDone(1);
        Latencies latencies = new Latencies(frames);
        for (int i = 1; i <= frames; i++) {
            int slot = i % slots.length;
            long start = page.awaitFrame(i);
            Gpu.check(LibCudart.cudaStreamWaitEvent(gpu.stream(), events[slot], 0), "cudaStreamWaitEvent");
            gpu.readLast(slots[slot], gpu.stream());
            latencies.add(System.nanoTime() - start);
            page.setDone(i + 1L);
        }
        latencies.print("stream-wait");
    }
}
