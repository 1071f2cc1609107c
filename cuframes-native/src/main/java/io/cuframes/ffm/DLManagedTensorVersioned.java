// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.StructLayout;

/**
 * A {@link DLTensor}, its version and how to give it back. What comes before {@code dl_tensor} keeps its place in every
 * version, so that the deleter of another major can be called.
 *
 * <pre>{@code
 * struct DLManagedTensorVersioned {
 *     DLPackVersion version;
 *     void *manager_ctx;
 *     void (*deleter)(struct DLManagedTensorVersioned *self);
 *     uint64_t flags;
 *     DLTensor dl_tensor;
 * };
 * }</pre>
 */
public final class DLManagedTensorVersioned {
    /** The layout; pointers are {@code long}. */
    public static final StructLayout LAYOUT = CStruct.of(
            "DLManagedTensorVersioned",
            80,
            DLPackVersion.LAYOUT.withName("version"),
            JAVA_LONG.withName("manager_ctx"),
            JAVA_LONG.withName("deleter"),
            JAVA_LONG.withName("flags"),
            DLTensor.LAYOUT.withName("dl_tensor"));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** A {@link DLPackVersion}. */
    public static final long VERSION_OFFSET = CStruct.offset(LAYOUT, "version");

    /** The producer's own. */
    public static final long MANAGER_CTX_OFFSET = CStruct.offset(LAYOUT, "manager_ctx");

    /** Address of the function that gives the tensor back; 0 where there is nothing to be done. */
    public static final long DELETER_OFFSET = CStruct.offset(LAYOUT, "deleter");

    /** {@code DLPACK_FLAG_BITMASK} bits of {@link Dlpack}. */
    public static final long FLAGS_OFFSET = CStruct.offset(LAYOUT, "flags");

    /** A {@link DLTensor}. */
    public static final long DL_TENSOR_OFFSET = CStruct.offset(LAYOUT, "dl_tensor");

    private DLManagedTensorVersioned() {}
}
