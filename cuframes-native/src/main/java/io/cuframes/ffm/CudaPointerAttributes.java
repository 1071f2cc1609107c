// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/**
 * What {@link LibCudart#cudaPointerGetAttributes} tells of an address. CUDA 12 knows the first 24 bytes only.
 *
 * <pre>{@code
 * struct cudaPointerAttributes {
 *     enum cudaMemoryType type;
 *     int device;
 *     void *devicePointer;
 *     void *hostPointer;
 *     long reserved[8]; // since CUDA 13
 * };
 * }</pre>
 */
public final class CudaPointerAttributes {
    /** The layout; pointers are {@code long}. */
    public static final StructLayout LAYOUT = CStruct.of(
            "struct cudaPointerAttributes",
            88,
            JAVA_INT.withName("type"),
            JAVA_INT.withName("device"),
            JAVA_LONG.withName("devicePointer"),
            JAVA_LONG.withName("hostPointer"),
            MemoryLayout.paddingLayout(64));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** A {@code cudaMemoryType} constant of {@link LibCudart}. */
    public static final long TYPE_OFFSET = CStruct.offset(LAYOUT, "type");

    /** Ordinal of the device. */
    public static final long DEVICE_OFFSET = CStruct.offset(LAYOUT, "device");

    /** Address on the device, or 0. */
    public static final long DEVICE_POINTER_OFFSET = CStruct.offset(LAYOUT, "devicePointer");

    /** Address on the host, or 0. */
    public static final long HOST_POINTER_OFFSET = CStruct.offset(LAYOUT, "hostPointer");

    private CudaPointerAttributes() {}
}
