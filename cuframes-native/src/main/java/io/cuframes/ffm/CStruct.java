// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;

/** Builds the layouts of C structures. */
final class CStruct {
    private CStruct() {}

    /** The layout of a C type, its size checked. */
    static StructLayout of(String type, long size, MemoryLayout... members) {
        StructLayout layout = MemoryLayout.structLayout(members).withName(type);
        if (layout.byteSize() != size) {
            throw new AssertionError(type + " has " + layout.byteSize() + " bytes, not " + size);
        }
        return layout;
    }

    static long offset(StructLayout layout, String member) {
        return layout.byteOffset(PathElement.groupElement(member));
    }
}
