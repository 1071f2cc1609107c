// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.ColorInfo;
import io.cuframes.DevicePtr;
import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.PlaneLayout;
import io.cuframes.Publisher;
import io.cuframes.SharedBuffer;
import io.cuframes.Transport;
import io.cuframes.ffm.LibCudart;
import io.cuframes.internal.cuda.Cuda;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** An application's own buffers for the slots of a ring, placed as no library would: with gaps, not in the order of their addresses, at odd places. */
public final class OwnBuffers implements AutoCloseable {
    private static final long GAP = 258;
    private static final int PER_ALLOCATION = 2;

    private final FrameFormat layout;
    private final List<MemorySegment> host = new ArrayList<>();
    private final List<DevicePtr> device = new ArrayList<>();
    private final List<Long> allocations = new ArrayList<>();
    private SharedBuffer shared;

    /** In one memfd, or in device memory, two in each allocation, on the current device. */
    public OwnBuffers(Transport transport, FrameFormat layout, int count) {
        this.layout = layout;
        long step = layout.frameBytes() + GAP;
        if (transport == Transport.HOST) {
            shared = SharedBuffer.allocate("test", count * step);
            for (int slot = 0; slot < count; slot++) {
                host.add(shared.segment().asSlice((count - 1 - slot) * step + GAP, layout.frameBytes()));
            }
        } else {
            for (int slot = 0; slot < count; slot++) {
                int place = slot % PER_ALLOCATION;
                if (place == 0) {
                    allocations.add(allocate(PER_ALLOCATION * step));
                }
                device.add(new DevicePtr(allocations.getLast() + (PER_ALLOCATION - 1 - place) * step + GAP));
            }
        }
    }

    /** NV12 as a decoder of somebody else's might lay it out: the chroma first, pitches that are multiples of nothing much. */
    public static FrameFormat layout(int width, int height) {
        PlaneLayout chroma = new PlaneLayout(6, width + 10, width / 2, height / 2, 2);
        PlaneLayout luma = new PlaneLayout(chroma.bytes() + 20, width + 2, width, height, 1);
        return FrameFormat.withPlanes(
                PixelFormat.NV12,
                width,
                height,
                ColorInfo.UNKNOWN,
                List.of(luma, chroma),
                luma.offset() + luma.bytes() + 30);
    }

    /** Device memory, to be freed with {@link LibCudart#cudaFree}. */
    public static long allocate(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(JAVA_LONG);
            Cuda.check(LibCudart.cudaMalloc(address, bytes), "cudaMalloc");
            return address.get(JAVA_LONG, 0);
        }
    }

    public Publisher.Builder register(Publisher.Builder builder) {
        return host.isEmpty() ? builder.externalDevice(layout, device) : builder.externalHost(layout, host);
    }

    /** Where a plane of a slot starts. */
    public long address(int slot, int plane) {
        long start =
                host.isEmpty() ? device.get(slot).address() : host.get(slot).address();
        return start + layout.planes().get(plane).offset();
    }

    /** The buffers in host memory. */
    public List<MemorySegment> host() {
        return host;
    }

    /** The buffers in device memory. */
    public List<DevicePtr> device() {
        return device;
    }

    public FrameFormat layout() {
        return layout;
    }

    @Override
    public void close() {
        if (shared != null) {
            shared.close();
        }
        allocations.forEach(address -> Cuda.check(LibCudart.cudaFree(address), "cudaFree"));
        allocations.clear();
    }
}
