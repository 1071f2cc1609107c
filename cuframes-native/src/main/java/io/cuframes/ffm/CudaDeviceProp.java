// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/**
 * The beginning of what {@link LibCudart#cudaGetDeviceProperties} fills, which CUDA 12 and 13 share; the rest differs.
 *
 * <pre>{@code
 * struct cudaDeviceProp {
 *     char name[256];
 *     cudaUUID_t uuid; // 16 bytes
 *     char luid[8];
 *     unsigned int luidDeviceNodeMask;
 *     size_t totalGlobalMem;
 *     // and many more
 * };
 * }</pre>
 */
public final class CudaDeviceProp {
    /** The layout. */
    public static final StructLayout LAYOUT = CStruct.of(
            "struct cudaDeviceProp",
            296,
            MemoryLayout.sequenceLayout(256, JAVA_BYTE).withName("name"),
            MemoryLayout.sequenceLayout(16, JAVA_BYTE).withName("uuid"),
            MemoryLayout.paddingLayout(16),
            JAVA_LONG.withName("totalGlobalMem"));

    /** Bytes to allocate for the whole structure, of any CUDA version. */
    public static final long BUFFER_LENGTH = 4096;

    /** Name of the device, a C string. */
    public static final long NAME_OFFSET = CStruct.offset(LAYOUT, "name");

    /** UUID of the device, 16 bytes. */
    public static final long UUID_OFFSET = CStruct.offset(LAYOUT, "uuid");

    /** Bytes of device memory. */
    public static final long TOTAL_GLOBAL_MEM_OFFSET = CStruct.offset(LAYOUT, "totalGlobalMem");

    private CudaDeviceProp() {}
}
