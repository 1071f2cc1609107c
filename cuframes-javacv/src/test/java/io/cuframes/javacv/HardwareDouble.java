// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.DevicePtr;
import io.cuframes.WritableFrame;
import io.cuframes.ffm.LibCudart;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avutil.AVFrame;

/**
 * In place of NVDEC: decodes on the CPU, and says that it is a GPU. To a device ring it queues copies of a buffer of its own on the legacy default
 * stream, as NVDEC's are. Does on demand what hardware does: fail to open, refuse a stream, fail to copy, be lost, fail to close.
 */
final class HardwareDouble implements AutoCloseable {
    /** What the next calls throw or say; null for nothing. */
    volatile Throwable openFailure;

    final AtomicInteger openFailures = new AtomicInteger();
    volatile RuntimeException copyFailure;
    final AtomicInteger copyFailures = new AtomicInteger();
    volatile Throwable closeFailure;
    volatile String refusal;
    volatile boolean watchesContext;
    private final AtomicInteger opens = new AtomicInteger();
    private long surface;

    /** How often a decoder was asked for. */
    int opens() {
        return opens.get();
    }

    FrameDecoder open(Demuxer demuxer, int device) {
        opens.incrementAndGet();
        if (openFailures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            throw sneaky(openFailure);
        }
        return new Decoder(demuxer, device);
    }

    private long surface(long bytes) {
        if (surface == 0) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
                assertEquals(0, LibCudart.cudaMalloc(out, bytes));
                surface = out.get(ValueLayout.JAVA_LONG, 0);
            }
        }
        return surface;
    }

    /** Frees the surface, which outlives a decoder while a frame of it is out, as those of NVDEC do. */
    @Override
    public void close() {
        if (surface != 0) {
            LibCudart.cudaFree(surface);
            surface = 0;
        }
    }

    private static RuntimeException sneaky(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        return (RuntimeException) thrown;
    }

    private final class Decoder implements FrameDecoder {
        private final CpuDecoder decoder;
        private final PrimaryContext context;

        Decoder(Demuxer demuxer, int device) {
            decoder = new CpuDecoder(demuxer, false);
            context = watchesContext ? new PrimaryContext(device) : null;
        }

        @Override
        public VideoSource.Decoder kind() {
            return VideoSource.Decoder.NVDEC;
        }

        @Override
        public int send(AVPacket packet) {
            return decoder.send(packet);
        }

        @Override
        public int receive(AVFrame frame) {
            return decoder.receive(frame);
        }

        @Override
        public long damageReports() {
            return 0;
        }

        @Override
        public String refusal() {
            return refusal;
        }

        @Override
        public boolean refusalMayPass() {
            return true;
        }

        @Override
        public void requireAlive() {
            if (context != null) {
                context.requireAlive();
            }
        }

        @Override
        public void flush() {
            decoder.flush();
        }

        @Override
        public void copy(AVFrame frame, WritableFrame slot, boolean deviceRing) {
            if (copyFailures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                throw copyFailure;
            }
            if (!deviceRing) {
                decoder.copy(frame, slot, false);
                return;
            }
            int pitch = slot.plane(0).pitch();
            long address = surface((long) pitch * slot.plane(0).height());
            slot.copyPlane(0, new DevicePtr(address), pitch, 0);
            slot.copyPlane(1, new DevicePtr(address), pitch, 0);
        }

        @Override
        public String conversion(int format) {
            return "";
        }

        @Override
        public List<Long> threads() {
            return decoder.threads();
        }

        @Override
        public long deviceBytes() {
            return 0;
        }

        @Override
        public void close() {
            decoder.close();
            if (context != null) {
                context.close();
            }
            if (closeFailure != null) {
                throw sneaky(closeFailure);
            }
        }
    }
}
