// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.ref.WeakReference;
import java.util.Objects;
import java.util.function.LongConsumer;

/**
 * The constants of DLPack 1.1 that cuframes uses, under their C names, and what its structures need of a foreign function
 * interface: calling a deleter and being one. DLPack is a convention without a library.
 */
@SuppressWarnings("MemberName") // C names
public final class Dlpack {
    /** Major version of what is made here, and the only one that can be read. */
    public static final int DLPACK_MAJOR_VERSION = 1;

    /** Minor version of what is made here. */
    public static final int DLPACK_MINOR_VERSION = 1;

    /** Flag: the memory must not be written. */
    public static final int DLPACK_FLAG_BITMASK_READ_ONLY = 1;

    /** Flag: the memory is a copy that the consumer alone has. */
    public static final int DLPACK_FLAG_BITMASK_IS_COPIED = 2;

    /** Memory of the host. */
    public static final int kDLCPU = 1;

    /** Memory of a CUDA device. */
    public static final int kDLCUDA = 2;

    /** Memory of the host that CUDA has pinned. */
    public static final int kDLCUDAHost = 3;

    /** Managed memory of CUDA. */
    public static final int kDLCUDAManaged = 13;

    /** Signed integers. */
    public static final int kDLInt = 0;

    /** Unsigned integers. */
    public static final int kDLUInt = 1;

    /** IEEE floating point. */
    public static final int kDLFloat = 2;

    // void (*deleter)(struct DLManagedTensorVersioned *self), or of DLManagedTensor
    private static final FunctionDescriptor DELETER = FunctionDescriptor.ofVoid(JAVA_LONG);
    private static final MethodHandle CALL_DELETER = Binding.linkPointer(DELETER);

    private Dlpack() {}

    /**
     * Calls a tensor's deleter.
     *
     * @param deleter address of the function; the caller vouches for it
     * @param self address of the {@link DLManagedTensorVersioned} or {@link DLManagedTensor}, gone when this returns
     */
    public static void callDeleter(long deleter, long self) {
        try {
            CALL_DELETER.invokeExact(MemorySegment.ofAddress(deleter), self);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    /**
     * Makes a deleter: a C function for the {@code deleter} field of either structure. It is never freed, since a consumer may
     * call it at any time: make one and keep it. It keeps neither the target nor the target's class loader: once the target is
     * collected, it does nothing. When the JVM has ended, a call ends the process.
     *
     * @param target receives the address of the structure to delete, on whatever thread the consumer calls from; that thread is
     *     attached to the JVM meanwhile. Must not throw: an exception that reaches native code ends the process. The caller keeps
     *     it reachable for as long as there is a structure to delete
     * @return the function's address
     */
    public static long deleter(LongConsumer target) {
        try {
            return Binding.upcall(weakly(target), DELETER).address();
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("a deleter", e);
        }
    }

    /** Calls the target if it is still there. Made of the JDK's classes alone, since the stub keeps what it is made of for ever. */
    private static MethodHandle weakly(LongConsumer target) throws ReflectiveOperationException {
        MethodHandles.Lookup jdk = MethodHandles.publicLookup();
        MethodHandle accept =
                jdk.findVirtual(LongConsumer.class, "accept", MethodType.methodType(void.class, long.class));
        MethodHandle isThere = jdk.findStatic(
                        Objects.class, "nonNull", MethodType.methodType(boolean.class, Object.class))
                .asType(MethodType.methodType(boolean.class, LongConsumer.class));
        MethodHandle get = jdk.findVirtual(WeakReference.class, "get", MethodType.methodType(Object.class))
                .bindTo(new WeakReference<>(target))
                .asType(MethodType.methodType(LongConsumer.class));
        return MethodHandles.foldArguments(
                MethodHandles.guardWithTest(isThere, accept, MethodHandles.empty(accept.type())), get);
    }

    /**
     * A deleter that needs no JVM: the C library's {@code free}. For a structure that is one allocation of {@link Libc#malloc}, it
     * frees it and does nothing else.
     *
     * @return the function's address
     */
    public static long freeingDeleter() {
        return Binding.libc("free").address();
    }

    /**
     * Memory that a structure of another library points to, as a segment.
     *
     * @param address where it starts; the caller vouches for it
     * @param length bytes
     * @return a segment that nothing keeps from outliving the memory: use it and forget it
     */
    @SuppressWarnings("restricted") // the structures carry addresses, and the length comes from the same structure
    public static MemorySegment memory(long address, long length) {
        return MemorySegment.ofAddress(address).reinterpret(length);
    }
}
