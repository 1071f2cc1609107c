// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.StructLayout;

/**
 * What {@link LibCuda#cuMemCreate} is to allocate.
 *
 * <pre>{@code
 * typedef struct {
 *     CUmemAllocationType type;
 *     CUmemAllocationHandleType requestedHandleTypes;
 *     struct { CUmemLocationType type; int id; } location;
 *     void *win32HandleMetaData;
 *     struct {
 *         unsigned char compressionType, gpuDirectRDMACapable;
 *         unsigned short usage;
 *         unsigned char reserved[4];
 *     } allocFlags;
 * } CUmemAllocationProp;
 * }</pre>
 */
public final class CUmemAllocationProp {
    /** The layout; pointers are {@code long}. */
    public static final StructLayout LAYOUT = CStruct.of(
            "CUmemAllocationProp",
            32,
            JAVA_INT.withName("type"),
            JAVA_INT.withName("requestedHandleTypes"),
            JAVA_INT.withName("location.type"),
            JAVA_INT.withName("location.id"),
            JAVA_LONG.withName("win32HandleMetaData"),
            JAVA_LONG.withName("allocFlags"));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** {@link LibCuda#CU_MEM_ALLOCATION_TYPE_PINNED}. */
    public static final long TYPE_OFFSET = CStruct.offset(LAYOUT, "type");

    /** A {@code CU_MEM_HANDLE_TYPE} constant of {@link LibCuda}. */
    public static final long REQUESTED_HANDLE_TYPES_OFFSET = CStruct.offset(LAYOUT, "requestedHandleTypes");

    /** {@link LibCuda#CU_MEM_LOCATION_TYPE_DEVICE}. */
    public static final long LOCATION_TYPE_OFFSET = CStruct.offset(LAYOUT, "location.type");

    /** Ordinal of the device. */
    public static final long LOCATION_ID_OFFSET = CStruct.offset(LAYOUT, "location.id");

    /** 0. */
    public static final long WIN32HANDLE_META_DATA_OFFSET = CStruct.offset(LAYOUT, "win32HandleMetaData");

    /** 0 for none. */
    public static final long ALLOC_FLAGS_OFFSET = CStruct.offset(LAYOUT, "allocFlags");

    private CUmemAllocationProp() {}
}
