// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.dlpack;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.PlaneLayout;
import io.cuframes.TensorDevice;
import io.cuframes.TensorType;
import io.cuframes.internal.cuda.CudaDevice;
import java.util.Arrays;

/** Where a tensor is and how its elements lie. Immutable. */
public final class TensorSpec {
    private final long address;
    private final TensorDevice device;
    private final int ordinal;
    private final TensorType type;
    private final boolean readOnly;
    private final long[] shape;
    private final long[] strides;

    /**
     * A tensor.
     *
     * @param address of its first element
     * @param device the kind of memory
     * @param ordinal which device of that kind, as this process counts them; 0 on the host
     * @param type of its elements
     * @param readOnly whether it must not be written
     * @param shape elements in each dimension
     * @param strides elements from one to the next in each dimension
     */
    TensorSpec(
            long address,
            TensorDevice device,
            int ordinal,
            TensorType type,
            boolean readOnly,
            long[] shape,
            long[] strides) {
        this.address = address;
        this.device = device;
        this.ordinal = ordinal;
        this.type = type;
        this.readOnly = readOnly;
        this.shape = shape.clone();
        this.strides = strides.clone();
    }

    /**
     * A plane of a frame: rows and columns, and a last dimension for the components of a sample where it has more than one.
     *
     * @param format the frame's
     * @param plane the plane's
     * @param address its first row
     * @param gpu the device it is on; null for memory of the host
     * @param readOnly whether it must not be written
     */
    public static TensorSpec ofPlane(
            PixelFormat format, PlaneLayout plane, long address, CudaDevice gpu, boolean readOnly) {
        int components = components(format, plane);
        long row = plane.pitch() / format.componentBytes();
        return components == 1
                ? inFrame(format, address, gpu, readOnly, shape(plane), new long[] {row, 1})
                : inFrame(format, address, gpu, readOnly, shape(plane, components), new long[] {row, components, 1});
    }

    /**
     * A whole frame: its plane if it has one; else the rows of all planes, one below the other, which takes planes that lie so, with rows of
     * the same length.
     *
     * @param format the frame's
     * @param address its first byte
     * @param gpu the device it is on; null for memory of the host
     * @param readOnly whether it must not be written
     * @return the tensor; for NV12 {@code [height * 3/2, width]}
     * @throws CuframesException code UNSUPPORTED if the planes do not make one tensor
     */
    public static TensorSpec ofFrame(FrameFormat format, long address, CudaDevice gpu, boolean readOnly) {
        PixelFormat pixels = format.pixelFormat();
        PlaneLayout first = format.planes().getFirst();
        if (format.planes().size() == 1) {
            return ofPlane(pixels, first, address + first.offset(), gpu, readOnly);
        }
        long rows = 0;
        for (PlaneLayout plane : format.planes()) {
            if (plane.offset() != first.offset() + rows * first.pitch()
                    || plane.pitch() != first.pitch()
                    || plane.rowBytes() != first.rowBytes()) {
                throw new CuframesException(
                        ErrorCode.UNSUPPORTED,
                        "the planes of this " + pixels
                                + " frame do not lie one below the other with equal rows, so they are not one tensor: take"
                                + " one for each plane");
            }
            rows += plane.height();
        }
        long[] shape = {rows, first.rowBytes() / pixels.componentBytes()};
        long[] strides = {first.pitch() / pixels.componentBytes(), 1};
        return inFrame(pixels, address + first.offset(), gpu, readOnly, shape, strides);
    }

    private static TensorSpec inFrame(
            PixelFormat format, long address, CudaDevice gpu, boolean readOnly, long[] shape, long[] strides) {
        TensorDevice device = gpu == null ? TensorDevice.CPU : TensorDevice.CUDA;
        int ordinal = gpu == null ? 0 : gpu.ordinal();
        return new TensorSpec(address, device, ordinal, componentType(format), readOnly, shape, strides);
    }

    private static long[] shape(PlaneLayout plane) {
        return new long[] {plane.height(), plane.width()};
    }

    private static long[] shape(PlaneLayout plane, int components) {
        return new long[] {plane.height(), plane.width(), components};
    }

    private static int components(PixelFormat format, PlaneLayout plane) {
        return plane.sampleBytes() / format.componentBytes();
    }

    private static TensorType componentType(PixelFormat format) {
        return format.componentBytes() == 1 ? TensorType.UINT8 : TensorType.UINT16;
    }

    /**
     * How far apart the rows of this tensor are, if it can be copied into a plane row by row.
     *
     * @param format the frame's
     * @param plane the plane's
     * @return bytes from one row to the next
     * @throws CuframesException code INVALID_ARGUMENT if type or shape are not the plane's, or the elements of a row are not side by side
     */
    public long sourcePitch(PixelFormat format, PlaneLayout plane) {
        int components = components(format, plane);
        long row = (long) plane.width() * components;
        boolean sameShape = Arrays.equals(shape, shape(plane, components))
                || (components == 1 && Arrays.equals(shape, shape(plane)));
        // The stride of a dimension with one element means nothing, and producers put anything there.
        long rowStride = plane.height() == 1 || !sameShape ? row : strides[0];
        boolean dense = sameShape
                && (plane.width() == 1 || strides[1] == components)
                && (components == 1 || strides[2] == 1)
                && rowStride >= row
                && rowStride <= Integer.MAX_VALUE / format.componentBytes();
        if (type != componentType(format) || !dense) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "this plane takes a tensor "
                            + componentType(format)
                            + Arrays.toString(components == 1 ? shape(plane) : shape(plane, components))
                            + " with the elements of a row side by side and its rows at least " + row
                            + " elements apart, and was given " + this + ": make it contiguous, or convert it");
        }
        return rowStride * format.componentBytes();
    }

    /** Address of the first element, of the host or of the device. */
    public long address() {
        return address;
    }

    /** The kind of memory. */
    public TensorDevice device() {
        return device;
    }

    /** Which device of its kind; 0 on the host. */
    public int ordinal() {
        return ordinal;
    }

    /** The type of the elements. */
    public TensorType type() {
        return type;
    }

    /** Whether it must not be written. */
    public boolean readOnly() {
        return readOnly;
    }

    /** Elements in each dimension; a copy. */
    public long[] shape() {
        return shape.clone();
    }

    /** Elements from one to the next in each dimension; a copy. */
    public long[] strides() {
        return strides.clone();
    }

    /** How many dimensions there are. */
    int dimensions() {
        return shape.length;
    }

    @Override
    public String toString() {
        return type + Arrays.toString(shape) + " with strides " + Arrays.toString(strides) + " on " + device
                + (device == TensorDevice.CUDA ? " " + ordinal : "");
    }
}
