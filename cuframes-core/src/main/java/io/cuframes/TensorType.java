// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.ffm.Dlpack;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The type of a tensor's elements, in the byte order of the machine. */
public enum TensorType {
    /** Unsigned, 8 bits: the components of 8-bit pixel formats. */
    UINT8(Dlpack.kDLUInt, 8),
    /** Unsigned, 16 bits: the components of pixel formats with more than 8 bits. */
    UINT16(Dlpack.kDLUInt, 16),
    /** Signed, 8 bits. */
    INT8(Dlpack.kDLInt, 8),
    /** Signed, 16 bits. */
    INT16(Dlpack.kDLInt, 16),
    /** Signed, 32 bits. */
    INT32(Dlpack.kDLInt, 32),
    /** Signed, 64 bits. */
    INT64(Dlpack.kDLInt, 64),
    /** IEEE floating point, 16 bits. */
    FLOAT16(Dlpack.kDLFloat, 16),
    /** IEEE floating point, 32 bits. */
    FLOAT32(Dlpack.kDLFloat, 32),
    /** IEEE floating point, 64 bits. */
    FLOAT64(Dlpack.kDLFloat, 64);

    private final int code;
    private final int bits;

    TensorType(int code, int bits) {
        this.code = code;
        this.bits = bits;
    }

    /**
     * DLPack's number for the kind of type.
     *
     * @return 0 for signed integers, 1 for unsigned ones, 2 for floating point
     */
    public int code() {
        return code;
    }

    /**
     * The size of an element.
     *
     * @return bits
     */
    public int bits() {
        return bits;
    }

    /**
     * The size of an element.
     *
     * @return bytes
     */
    public int bytes() {
        return bits / Byte.SIZE;
    }

    /**
     * Finds a type by DLPack's numbers.
     *
     * @param code the kind of type
     * @param bits the size of an element
     * @return the type, or null if this version knows none of these numbers
     */
    public static @Nullable TensorType of(int code, int bits) {
        for (TensorType type : values()) {
            if (type.code == code && type.bits == bits) {
                return type;
            }
        }
        return null;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
