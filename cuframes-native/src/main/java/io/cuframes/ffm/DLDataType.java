// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.StructLayout;

/**
 * The type of a {@link DLTensor}'s elements, in the byte order of the machine.
 *
 * <pre>{@code
 * struct DLDataType {
 *     uint8_t code;
 *     uint8_t bits;
 *     uint16_t lanes;
 * };
 * }</pre>
 */
public final class DLDataType {
    /** The layout. */
    public static final StructLayout LAYOUT = CStruct.of(
            "DLDataType", 4, JAVA_BYTE.withName("code"), JAVA_BYTE.withName("bits"), JAVA_SHORT.withName("lanes"));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** A {@code kDL} type constant of {@link Dlpack}, a {@code byte}. */
    public static final long CODE_OFFSET = CStruct.offset(LAYOUT, "code");

    /** Bits of one lane, an unsigned {@code byte}. */
    public static final long BITS_OFFSET = CStruct.offset(LAYOUT, "bits");

    /** Lanes of one element, an unsigned {@code short}; 1 but for vector types. */
    public static final long LANES_OFFSET = CStruct.offset(LAYOUT, "lanes");

    private DLDataType() {}
}
