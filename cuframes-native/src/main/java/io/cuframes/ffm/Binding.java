// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Arrays;
import java.util.function.Supplier;

/** What the bindings of every library share. */
final class Binding {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle AGAIN = again();

    private Binding() {}

    @SuppressWarnings("restricted") // linking native functions is this module's purpose
    static MethodHandle link(MemorySegment symbol, FunctionDescriptor function, Linker.Option... options) {
        return LINKER.downcallHandle(symbol, function, options);
    }

    /** A handle that calls functions by their address, its first argument. */
    @SuppressWarnings("restricted") // as above
    static MethodHandle linkPointer(FunctionDescriptor function) {
        return orFailing(
                () -> LINKER.downcallHandle(function),
                function.toMethodType().insertParameterTypes(0, MemorySegment.class));
    }

    /** A C function that calls the target; it is there for as long as the process, and so is what the target holds on to. */
    @SuppressWarnings("restricted") // as above
    static MemorySegment upcall(MethodHandle target, FunctionDescriptor function) {
        return LINKER.upcallStub(target, function, Arena.global());
    }

    /** The address of a function of the C library. */
    static MemorySegment libc(String symbol) {
        return LINKER.defaultLookup()
                .find(symbol)
                .orElseThrow(() -> new UnsupportedOperationException("the C library has no " + symbol));
    }

    /** Links a function of the C library; the holder class is named after it. */
    static MethodHandle linkLibc(Class<?> holder, FunctionDescriptor function, Linker.Option... options) {
        MethodType type = function.toMethodType();
        boolean capturing = Arrays.asList(options).contains(Linker.Option.captureCallState("errno"));
        return orFailing(
                () -> link(libc(holder.getSimpleName()), function, options),
                capturing ? type.insertParameterTypes(0, MemorySegment.class) : type);
    }

    /**
     * The handle that is linked; or, where it cannot be, one of this type that throws why not, at each call. An exception from the
     * holder's initializer would tell it at the first call alone: those after it get a NoClassDefFoundError.
     */
    static MethodHandle orFailing(Supplier<MethodHandle> linked, MethodType type) {
        try {
            return linked.get();
        } catch (RuntimeException e) {
            MethodHandle thrower = MethodHandles.foldArguments(
                    MethodHandles.throwException(type.returnType(), RuntimeException.class),
                    MethodHandles.insertArguments(AGAIN, 0, e));
            return MethodHandles.dropArguments(thrower, 0, type.parameterList());
        }
    }

    /** The reason of a failure, as an exception of this call. */
    @SuppressWarnings("UnusedMethod") // called by its name, below
    private static RuntimeException ofThisCall(RuntimeException first) {
        if (first instanceof IllegalCallerException e) {
            return NativeAccess.denied(e);
        }
        if (first instanceof LibraryNotFoundException e) {
            return new LibraryNotFoundException(e);
        }
        if (first instanceof UnsupportedOperationException e) {
            return new UnsupportedOperationException(e.getMessage(), e);
        }
        return new IllegalStateException(first.getMessage(), first);
    }

    private static MethodHandle again() {
        try {
            return MethodHandles.lookup()
                    .findStatic(
                            Binding.class,
                            "ofThisCall",
                            MethodType.methodType(RuntimeException.class, RuntimeException.class));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("Binding.ofThisCall", e);
        }
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
