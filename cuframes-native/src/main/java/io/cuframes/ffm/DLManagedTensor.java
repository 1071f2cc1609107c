// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.StructLayout;

/**
 * A {@link DLTensor} and how to give it back, as it was before DLPack 1.0 and as many libraries still exchange it. It has no
 * version and cannot say that its memory is read-only.
 *
 * <pre>{@code
 * struct DLManagedTensor {
 *     DLTensor dl_tensor;
 *     void *manager_ctx;
 *     void (*deleter)(struct DLManagedTensor *self);
 * };
 * }</pre>
 */
public final class DLManagedTensor {
    /** The layout; pointers are {@code long}. */
    public static final StructLayout LAYOUT = CStruct.of(
            "DLManagedTensor",
            64,
            DLTensor.LAYOUT.withName("dl_tensor"),
            JAVA_LONG.withName("manager_ctx"),
            JAVA_LONG.withName("deleter"));

    /** Bytes of the structure. */
    public static final long LENGTH = LAYOUT.byteSize();

    /** A {@link DLTensor}. */
    public static final long DL_TENSOR_OFFSET = CStruct.offset(LAYOUT, "dl_tensor");

    /** The producer's own. */
    public static final long MANAGER_CTX_OFFSET = CStruct.offset(LAYOUT, "manager_ctx");

    /** Address of the function that gives the tensor back; 0 where there is nothing to be done. */
    public static final long DELETER_OFFSET = CStruct.offset(LAYOUT, "deleter");

    private DLManagedTensor() {}
}
