// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.StructLayout;

/**
 * Where the memory of a {@link DLTensor} is.
 *
 * <pre>{@code
 * struct DLDevice {
 *     DLDeviceType device_type; // an enumeration of 4 bytes
 *     int32_t device_id;
 * };
 * }</pre>
 */
public final class DLDevice {
    /** The layout. */
    public static final StructLayout LAYOUT =
            CStruct.of("DLDevice", 8, JAVA_INT.withName("device_type"), JAVA_INT.withName("device_id"));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** A {@code kDL} device constant of {@link Dlpack}, an {@code int}. */
    public static final long DEVICE_TYPE_OFFSET = CStruct.offset(LAYOUT, "device_type");

    /** The device's ordinal, an {@code int}; 0 for memory of the host. */
    public static final long DEVICE_ID_OFFSET = CStruct.offset(LAYOUT, "device_id");

    private DLDevice() {}
}
