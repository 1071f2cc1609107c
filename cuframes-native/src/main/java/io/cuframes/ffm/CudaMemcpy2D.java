// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/**
 * What {@link LibCuda#cuMemcpy2DAsync_v2} is to copy.
 *
 * <pre>{@code
 * typedef struct {
 *     size_t srcXInBytes, srcY;
 *     CUmemorytype srcMemoryType;
 *     const void *srcHost;
 *     CUdeviceptr srcDevice;
 *     CUarray srcArray;
 *     size_t srcPitch;
 *     size_t dstXInBytes, dstY;
 *     CUmemorytype dstMemoryType;
 *     void *dstHost;
 *     CUdeviceptr dstDevice;
 *     CUarray dstArray;
 *     size_t dstPitch;
 *     size_t WidthInBytes, Height;
 * } CUDA_MEMCPY2D;
 * }</pre>
 */
public final class CudaMemcpy2D {
    /** The layout; pointers are {@code long}. */
    public static final StructLayout LAYOUT = CStruct.of(
            "CUDA_MEMCPY2D",
            128,
            JAVA_LONG.withName("srcXInBytes"),
            JAVA_LONG.withName("srcY"),
            JAVA_INT.withName("srcMemoryType"),
            MemoryLayout.paddingLayout(4),
            JAVA_LONG.withName("srcHost"),
            JAVA_LONG.withName("srcDevice"),
            JAVA_LONG.withName("srcArray"),
            JAVA_LONG.withName("srcPitch"),
            JAVA_LONG.withName("dstXInBytes"),
            JAVA_LONG.withName("dstY"),
            JAVA_INT.withName("dstMemoryType"),
            MemoryLayout.paddingLayout(4),
            JAVA_LONG.withName("dstHost"),
            JAVA_LONG.withName("dstDevice"),
            JAVA_LONG.withName("dstArray"),
            JAVA_LONG.withName("dstPitch"),
            JAVA_LONG.withName("WidthInBytes"),
            JAVA_LONG.withName("Height"));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** Bytes into the first row of the source. */
    public static final long SRC_XIN_BYTES_OFFSET = CStruct.offset(LAYOUT, "srcXInBytes");

    /** First row of the source. */
    public static final long SRC_Y_OFFSET = CStruct.offset(LAYOUT, "srcY");

    /** {@link LibCuda#CU_MEMORYTYPE_UNIFIED}. */
    public static final long SRC_MEMORY_TYPE_OFFSET = CStruct.offset(LAYOUT, "srcMemoryType");

    /** 0 for unified addresses. */
    public static final long SRC_HOST_OFFSET = CStruct.offset(LAYOUT, "srcHost");

    /** Address of the source. */
    public static final long SRC_DEVICE_OFFSET = CStruct.offset(LAYOUT, "srcDevice");

    /** 0. */
    public static final long SRC_ARRAY_OFFSET = CStruct.offset(LAYOUT, "srcArray");

    /** Bytes from row to row of the source. */
    public static final long SRC_PITCH_OFFSET = CStruct.offset(LAYOUT, "srcPitch");

    /** Bytes into the first row of the target. */
    public static final long DST_XIN_BYTES_OFFSET = CStruct.offset(LAYOUT, "dstXInBytes");

    /** First row of the target. */
    public static final long DST_Y_OFFSET = CStruct.offset(LAYOUT, "dstY");

    /** {@link LibCuda#CU_MEMORYTYPE_UNIFIED}. */
    public static final long DST_MEMORY_TYPE_OFFSET = CStruct.offset(LAYOUT, "dstMemoryType");

    /** 0 for unified addresses. */
    public static final long DST_HOST_OFFSET = CStruct.offset(LAYOUT, "dstHost");

    /** Address of the target. */
    public static final long DST_DEVICE_OFFSET = CStruct.offset(LAYOUT, "dstDevice");

    /** 0. */
    public static final long DST_ARRAY_OFFSET = CStruct.offset(LAYOUT, "dstArray");

    /** Bytes from row to row of the target. */
    public static final long DST_PITCH_OFFSET = CStruct.offset(LAYOUT, "dstPitch");

    /** Bytes of a row to copy. */
    public static final long WIDTH_IN_BYTES_OFFSET = CStruct.offset(LAYOUT, "WidthInBytes");

    /** Rows. */
    public static final long HEIGHT_OFFSET = CStruct.offset(LAYOUT, "Height");

    private CudaMemcpy2D() {}
}
