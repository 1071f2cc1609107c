// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.StructLayout;

/**
 * The version a {@link DLManagedTensorVersioned} is of. Another major means another layout, another minor only further
 * enumeration values.
 *
 * <pre>{@code
 * struct DLPackVersion {
 *     uint32_t major;
 *     uint32_t minor;
 * };
 * }</pre>
 */
public final class DLPackVersion {
    /** The layout. */
    public static final StructLayout LAYOUT =
            CStruct.of("DLPackVersion", 8, JAVA_INT.withName("major"), JAVA_INT.withName("minor"));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** The major version, an unsigned {@code int}. */
    public static final long MAJOR_OFFSET = CStruct.offset(LAYOUT, "major");

    /** The minor version, an unsigned {@code int}. */
    public static final long MINOR_OFFSET = CStruct.offset(LAYOUT, "minor");

    private DLPackVersion() {}
}
