// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.StructLayout;

/**
 * Who may access a mapped range, for {@link LibCuda#cuMemSetAccess}.
 *
 * <pre>{@code
 * typedef struct {
 *     struct { CUmemLocationType type; int id; } location;
 *     CUmemAccess_flags flags;
 * } CUmemAccessDesc;
 * }</pre>
 */
public final class CUmemAccessDesc {
    /** The layout. */
    public static final StructLayout LAYOUT = CStruct.of(
            "CUmemAccessDesc",
            12,
            JAVA_INT.withName("location.type"),
            JAVA_INT.withName("location.id"),
            JAVA_INT.withName("flags"));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** {@link LibCuda#CU_MEM_LOCATION_TYPE_DEVICE}. */
    public static final long LOCATION_TYPE_OFFSET = CStruct.offset(LAYOUT, "location.type");

    /** Ordinal of the device. */
    public static final long LOCATION_ID_OFFSET = CStruct.offset(LAYOUT, "location.id");

    /** A {@code CU_MEM_ACCESS_FLAGS} constant of {@link LibCuda}. */
    public static final long FLAGS_OFFSET = CStruct.offset(LAYOUT, "flags");

    private CUmemAccessDesc() {}
}
