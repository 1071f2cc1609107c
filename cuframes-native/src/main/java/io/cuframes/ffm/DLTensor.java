// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.StructLayout;

/**
 * A tensor of DLPack: memory of someone, and how it is to be read. Inside a {@link DLManagedTensorVersioned} or a {@link
 * DLManagedTensor}.
 *
 * <pre>{@code
 * struct DLTensor {
 *     void *data;
 *     DLDevice device;
 *     int32_t ndim;
 *     DLDataType dtype;
 *     int64_t *shape;
 *     int64_t *strides;
 *     uint64_t byte_offset;
 * };
 * }</pre>
 */
public final class DLTensor {
    /** The layout; pointers are {@code long}. */
    public static final StructLayout LAYOUT = CStruct.of(
            "DLTensor",
            48,
            JAVA_LONG.withName("data"),
            DLDevice.LAYOUT.withName("device"),
            JAVA_INT.withName("ndim"),
            DLDataType.LAYOUT.withName("dtype"),
            JAVA_LONG.withName("shape"),
            JAVA_LONG.withName("strides"),
            JAVA_LONG.withName("byte_offset"));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** Address of the memory, of the host or of the device. */
    public static final long DATA_OFFSET = CStruct.offset(LAYOUT, "data");

    /** A {@link DLDevice}. */
    public static final long DEVICE_OFFSET = CStruct.offset(LAYOUT, "device");

    /** Number of dimensions, an {@code int}. */
    public static final long NDIM_OFFSET = CStruct.offset(LAYOUT, "ndim");

    /** A {@link DLDataType}. */
    public static final long DTYPE_OFFSET = CStruct.offset(LAYOUT, "dtype");

    /** Address of {@code ndim} {@code long}s: elements in each dimension. */
    public static final long SHAPE_OFFSET = CStruct.offset(LAYOUT, "shape");

    /**
     * Address of {@code ndim} {@code long}s: elements from one to the next in each dimension. Before version 1.2 it may be
     * 0, which stands for rows one after the other without gaps.
     */
    public static final long STRIDES_OFFSET = CStruct.offset(LAYOUT, "strides");

    /** Bytes from {@code data} to the first element. */
    public static final long BYTE_OFFSET_OFFSET = CStruct.offset(LAYOUT, "byte_offset");

    private DLTensor() {}
}
