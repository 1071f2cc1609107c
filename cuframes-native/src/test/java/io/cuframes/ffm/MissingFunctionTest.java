// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A function that cannot be linked throws the reason at each call, and not once only, when its holder class is initialized. */
class MissingFunctionTest {
    // int no_such_function(int, void *)
    private static final class no_such_function {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS);
        private static final MethodHandle MH = Binding.linkLibc(no_such_function.class, FUNC);
        private static final MethodHandle ERRNO_MH =
                Binding.linkLibc(no_such_function.class, FUNC, Linker.Option.captureCallState("errno"));
    }

    // int no_such_library(void)
    private static final class no_such_library {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT);
        private static final MethodHandle MH = new NativeLibrary(
                        "library of nobody",
                        "cuframes.noSuchLibrary",
                        "CUFRAMES_NO_SUCH_LIBRARY",
                        List.of("libnosuchlibrary.so.1"),
                        "install it.",
                        (environment, prefix) -> List.of(Path.of("/nowhere")))
                .link(no_such_library.class, FUNC);
    }

    private static int callFunction() {
        try {
            return (int) no_such_function.MH.invokeExact(1, MemorySegment.NULL);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    private static int callFunctionWithErrno() {
        try {
            return (int) no_such_function.ERRNO_MH.invokeExact(MemorySegment.NULL, 1, MemorySegment.NULL);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    private static int callLibrary() {
        try {
            return (int) no_such_library.MH.invokeExact();
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    @Test
    void aSymbolThatIsNotThereIsNamedAtEachCall() {
        UnsupportedOperationException first =
                assertThrows(UnsupportedOperationException.class, MissingFunctionTest::callFunction);
        UnsupportedOperationException second =
                assertThrows(UnsupportedOperationException.class, MissingFunctionTest::callFunction);
        assertEquals("the C library has no no_such_function", first.getMessage());
        assertEquals(first.getMessage(), second.getMessage());
        assertNotSame(first, second); // whoever catches one may add to it
        assertEquals(
                first.getMessage(),
                assertThrows(UnsupportedOperationException.class, MissingFunctionTest::callFunctionWithErrno)
                        .getMessage());
    }

    @Test
    void aLibraryThatIsNotThereIsNamedAtEachCall() {
        LibraryNotFoundException first = assertThrows(LibraryNotFoundException.class, MissingFunctionTest::callLibrary);
        LibraryNotFoundException second =
                assertThrows(LibraryNotFoundException.class, MissingFunctionTest::callLibrary);
        assertEquals(first.getMessage(), second.getMessage());
        assertEquals("install it.", second.remedy());
    }
}
