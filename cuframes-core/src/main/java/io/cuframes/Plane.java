// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import java.lang.foreign.MemorySegment;

/**
 * One plane of a frame, in place: its layout and where it is. Valid while the frame it came from is open; the same object serves every frame
 * of the slot. Immutable, and so safe from any thread; the pixels are the frame's affair.
 */
public final class Plane {
    private final PlaneLayout layout;
    private final DevicePtr pointer;
    private final MemorySegment segment;

    private Plane(PlaneLayout layout, DevicePtr pointer, MemorySegment segment) {
        this.layout = layout;
        this.pointer = pointer;
        this.segment = segment;
    }

    /** The planes of a slot: of a device address, or of host memory. */
    static Plane[] of(FrameFormat format, long slotAddress, MemorySegment slotHost) {
        return format.planes().stream()
                .map(layout -> slotHost == null
                        ? new Plane(layout, new DevicePtr(slotAddress + layout.offset()), null)
                        : new Plane(layout, null, slotHost.asSlice(layout.offset(), layout.bytes())))
                .toArray(Plane[]::new);
    }

    /**
     * Where the plane lies in the frame, and its samples.
     *
     * @return offset, pitch, width, height and sample size
     */
    public PlaneLayout layout() {
        return layout;
    }

    /**
     * Bytes from the start of the frame.
     *
     * @return a multiple of {@link FrameFormat#PITCH_ALIGNMENT}; in buffers that the library did not make, of the component size
     */
    public long offset() {
        return layout.offset();
    }

    /**
     * Bytes from one row to the next.
     *
     * @return a multiple of {@link FrameFormat#PITCH_ALIGNMENT}; in buffers that the library did not make, of the component size
     */
    public int pitch() {
        return layout.pitch();
    }

    /**
     * Samples in a row.
     *
     * @return at least 1; in an interleaved chroma plane, pairs
     */
    public int width() {
        return layout.width();
    }

    /**
     * Rows.
     *
     * @return at least 1
     */
    public int height() {
        return layout.height();
    }

    /**
     * Where the first row is in device memory.
     *
     * @return an address for this process
     * @throws IllegalStateException if the frame is in host memory
     */
    public DevicePtr pointer() {
        if (pointer == null) {
            throw new IllegalStateException("this frame is in host memory: use segment()");
        }
        return pointer;
    }

    /** Where the first row is, in whichever memory. */
    long address() {
        return pointer == null ? segment.address() : pointer.address();
    }

    /**
     * The plane's bytes in host memory, {@code pitch * height} of them: read-only in a {@link Frame}, writable in a {@link WritableFrame}. It
     * ends with the publisher or subscriber; the frame's being closed does not end it, but its bytes may then change.
     *
     * @return the segment
     * @throws IllegalStateException if the frame is in device memory
     */
    public MemorySegment segment() {
        if (segment == null) {
            throw new IllegalStateException(
                    "this frame is in device memory: use pointer(), or Frame.copyTo for a copy in host memory");
        }
        return segment;
    }
}
