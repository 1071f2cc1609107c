// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** What the bindings of every library share. */
final class Binding {
    private static final Linker LINKER = Linker.nativeLinker();

    private Binding() {}

    @SuppressWarnings("restricted") // linking native functions is this module's purpose
    static MethodHandle link(MemorySegment symbol, FunctionDescriptor function, Linker.Option... options) {
        return LINKER.downcallHandle(symbol, function, options);
    }

    /** A handle that calls functions by their address, its first argument. */
    @SuppressWarnings("restricted") // as above
    static MethodHandle linkPointer(FunctionDescriptor function) {
        return LINKER.downcallHandle(function);
    }

    /** A C function that calls the target; it is there for as long as the process. */
    @SuppressWarnings("restricted") // as above
    static MemorySegment upcall(MethodHandle target, FunctionDescriptor function) {
        return LINKER.upcallStub(target, function, Arena.global());
    }

    /** Links a function of the C library; the holder class is named after it. */
    static MethodHandle linkLibc(Class<?> holder, FunctionDescriptor function, Linker.Option... options) {
        String symbol = holder.getSimpleName();
        MemorySegment address = LINKER.defaultLookup()
                .find(symbol)
                .orElseThrow(() -> new UnsupportedOperationException("the C library has no " + symbol));
        return link(address, function, options);
    }

    /** The C string at an address that C returned; empty at NULL. */
    @SuppressWarnings("restricted") // the library's own, immortal text
    static String string(MemorySegment address) {
        return address.equals(MemorySegment.NULL)
                ? ""
                : address.reinterpret(Long.MAX_VALUE).getString(0);
    }

    /**
     * What to throw for what came out of a downcall: unchecked exceptions as they are, and the reason why a function
     * could not be linked instead of the error that its holder class could not be initialized.
     */
    static RuntimeException unexpected(Throwable thrown) {
        Throwable reason = thrown instanceof ExceptionInInitializerError ? thrown.getCause() : thrown;
        if (reason instanceof RuntimeException unchecked) {
            return unchecked;
        }
        if (reason instanceof Error error) {
            throw error;
        }
        return new IllegalStateException(reason);
    }
}
