// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DlpackTest {
    @Test
    void aDeleterIsAFunctionThatIsToldTheStructuresAddress() {
        List<Long> deleted = new ArrayList<>();
        long deleter = Dlpack.deleter(deleted::add);
        Dlpack.callDeleter(deleter, 42);
        Dlpack.callDeleter(deleter, -8);
        assertEquals(List.of(42L, -8L), deleted);
    }

    @Test
    void allocatedMemoryIsReadAndWrittenThroughItsAddress() {
        long address = Libc.malloc(DLManagedTensorVersioned.LENGTH);
        try {
            assertEquals(0, address & 15);
            MemorySegment tensor = Dlpack.memory(address, DLManagedTensorVersioned.LENGTH);
            tensor.set(JAVA_LONG, DLManagedTensorVersioned.DELETER_OFFSET, 7);
            assertEquals(
                    7,
                    Dlpack.memory(address + DLManagedTensorVersioned.DELETER_OFFSET, 8)
                            .get(JAVA_LONG, 0));
        } finally {
            Libc.free(address);
        }
    }
}
