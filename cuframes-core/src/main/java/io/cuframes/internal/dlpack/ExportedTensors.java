// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.dlpack;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.DLDataType;
import io.cuframes.ffm.DLDevice;
import io.cuframes.ffm.DLManagedTensor;
import io.cuframes.ffm.DLManagedTensorVersioned;
import io.cuframes.ffm.DLPackVersion;
import io.cuframes.ffm.DLTensor;
import io.cuframes.ffm.Dlpack;
import io.cuframes.ffm.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;

/**
 * The tensors of this process that consumers have: DLPack structures in native memory, whose deleter comes back here. Thread-safe.
 *
 * <p>A structure, its shape and its strides are one allocation of malloc, since the deleter runs on any thread: a confined arena could not be
 * closed there, and closing a shared one stops every thread of the JVM for tens of microseconds.
 *
 * <p>A tensor is known by the address of its structure, so that the deleter reads none of its memory: what was deleted twice is not in the table
 * the second time, unless the allocator has given its address to a younger tensor.
 *
 * <p>The deleter calls into the JVM, and a process may end its JVM and go on, as Python does: at its end, the deleter of each tensor that is out is
 * replaced by one that needs no JVM. What the tensor showed stays mapped, and leased, until the process ends.
 */
public final class ExportedTensors {
    private static final System.Logger LOG = System.getLogger(ExportedTensors.class.getName());

    /** The field of a structure that has the deleter's address, which consumers read at any time. */
    private static final VarHandle FIELD = JAVA_LONG.varHandle().withInvokeExactBehavior();

    private static final ConcurrentHashMap<Long, Exported> EXPORTED = new ConcurrentHashMap<>();

    private static final JvmEnd JVM_END = new JvmEnd(ExportedTensors::outliveJvm);

    /** Kept here: the deleter does not keep it. */
    private static final LongConsumer DELETE = ExportedTensors::delete;

    /** One deleter for both structures: all it needs is the address. {@code manager_ctx} is never read; it is set for consumers that print it. */
    private static final long DELETER = Dlpack.deleter(DELETE);

    /** Of a tensor that outlives the JVM: there is nobody left to end its lease, which ends with the process. */
    private static final long DELETER_WITHOUT_JVM = Dlpack.freeingDeleter();

    /**
     * A tensor that a consumer has.
     *
     * @param deleterAt where its structure has the address of the deleter
     * @param release run once, by the deleter
     */
    private record Exported(long deleterAt, Runnable release) {}

    private ExportedTensors() {}

    /**
     * Makes a {@code DLManagedTensorVersioned} for a consumer.
     *
     * @param spec the tensor
     * @param release run once, by the deleter
     * @return its address
     * @throws CuframesException code SYSTEM if there is no memory
     */
    public static long versioned(TensorSpec spec, Runnable release) {
        MemorySegment tensor = allocate(DLManagedTensorVersioned.LENGTH, spec);
        long version = DLManagedTensorVersioned.VERSION_OFFSET;
        tensor.set(JAVA_INT, version + DLPackVersion.MAJOR_OFFSET, Dlpack.DLPACK_MAJOR_VERSION);
        tensor.set(JAVA_INT, version + DLPackVersion.MINOR_OFFSET, Dlpack.DLPACK_MINOR_VERSION);
        tensor.set(JAVA_LONG, DLManagedTensorVersioned.MANAGER_CTX_OFFSET, tensor.address());
        tensor.set(JAVA_LONG, DLManagedTensorVersioned.DELETER_OFFSET, DELETER);
        tensor.set(
                JAVA_LONG,
                DLManagedTensorVersioned.FLAGS_OFFSET,
                spec.readOnly() ? Dlpack.DLPACK_FLAG_BITMASK_READ_ONLY : 0);
        fill(tensor, DLManagedTensorVersioned.DL_TENSOR_OFFSET, DLManagedTensorVersioned.LENGTH, spec);
        return register(tensor, DLManagedTensorVersioned.DELETER_OFFSET, release);
    }

    /**
     * Makes a {@code DLManagedTensor} for a consumer, which cannot say that it must not be written.
     *
     * @param spec the tensor
     * @param release run once, by the deleter
     * @return its address
     * @throws CuframesException code SYSTEM if there is no memory
     */
    public static long unversioned(TensorSpec spec, Runnable release) {
        MemorySegment tensor = allocate(DLManagedTensor.LENGTH, spec);
        tensor.set(JAVA_LONG, DLManagedTensor.MANAGER_CTX_OFFSET, tensor.address());
        tensor.set(JAVA_LONG, DLManagedTensor.DELETER_OFFSET, DELETER);
        fill(tensor, DLManagedTensor.DL_TENSOR_OFFSET, DLManagedTensor.LENGTH, spec);
        return register(tensor, DLManagedTensor.DELETER_OFFSET, release);
    }

    /** Tensors that consumers have now. */
    public static int count() {
        return EXPORTED.size();
    }

    private static MemorySegment allocate(long structure, TensorSpec spec) {
        long length = structure + 2L * spec.dimensions() * Long.BYTES;
        long address = Libc.malloc(length);
        if (address == 0) {
            throw new CuframesException(ErrorCode.SYSTEM, "no memory for the " + length + " bytes of a DLPack tensor");
        }
        return Dlpack.memory(address, length);
    }

    /** Writes every field of the DLTensor at an offset; its shape and strides go to the end of the memory. */
    private static void fill(MemorySegment memory, long at, long end, TensorSpec spec) {
        long[] shape = spec.shape();
        long[] strides = spec.strides();
        long stridesAt = end + (long) shape.length * Long.BYTES;
        MemorySegment.copy(shape, 0, memory, JAVA_LONG, end, shape.length);
        MemorySegment.copy(strides, 0, memory, JAVA_LONG, stridesAt, strides.length);
        memory.set(JAVA_LONG, at + DLTensor.DATA_OFFSET, spec.address());
        long device = at + DLTensor.DEVICE_OFFSET;
        memory.set(JAVA_INT, device + DLDevice.DEVICE_TYPE_OFFSET, spec.device().code());
        memory.set(JAVA_INT, device + DLDevice.DEVICE_ID_OFFSET, spec.ordinal());
        memory.set(JAVA_INT, at + DLTensor.NDIM_OFFSET, shape.length);
        long type = at + DLTensor.DTYPE_OFFSET;
        memory.set(JAVA_BYTE, type + DLDataType.CODE_OFFSET, (byte) spec.type().code());
        memory.set(JAVA_BYTE, type + DLDataType.BITS_OFFSET, (byte) spec.type().bits());
        memory.set(JAVA_SHORT, type + DLDataType.LANES_OFFSET, (short) 1);
        memory.set(JAVA_LONG, at + DLTensor.SHAPE_OFFSET, memory.address() + end);
        memory.set(JAVA_LONG, at + DLTensor.STRIDES_OFFSET, memory.address() + stridesAt);
        memory.set(JAVA_LONG, at + DLTensor.BYTE_OFFSET_OFFSET, 0);
    }

    private static long register(MemorySegment tensor, long deleterOffset, Runnable release) {
        long address = tensor.address();
        EXPORTED.put(address, new Exported(address + deleterOffset, release));
        boolean counted;
        try {
            counted = JVM_END.add();
        } catch (RuntimeException | Error e) { // no memory for the hook
            EXPORTED.remove(address);
            Libc.free(address);
            throw e;
        }
        if (!counted) {
            EXPORTED.remove(address);
            setDeleterWithoutJvm(address + deleterOffset);
        }
        return address;
    }

    /**
     * At the end of the JVM: from here on, consumers free the structures and nothing else. They read the field when they delete, so that it is changed
     * under them. A structure that is being deleted just now is either no longer in the table, or its memory is kept until its entry is free again.
     */
    private static void outliveJvm() {
        for (Long address : EXPORTED.keySet()) {
            EXPORTED.computeIfPresent(address, (key, exported) -> {
                setDeleterWithoutJvm(exported.deleterAt());
                return exported;
            });
        }
    }

    private static void setDeleterWithoutJvm(long deleterAt) {
        FIELD.setRelease(Dlpack.memory(deleterAt, Long.BYTES), 0L, DELETER_WITHOUT_JVM);
    }

    /** What consumers call. Nothing may be thrown from here: the caller is native code, and the process would end. */
    private static void delete(long tensor) {
        JVM_END.enter();
        try {
            Exported exported =
                    EXPORTED.remove(tensor); // before the memory is freed: its address may be reused at once
            if (exported == null) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "a consumer deleted the DLPack tensor at 0x" + Long.toHexString(tensor)
                                + ", which it was not given or had deleted before");
                return;
            }
            Libc.free(tensor);
            try {
                exported.release().run();
            } finally {
                JVM_END.remove();
            }
        } catch (Throwable t) {
            report(t);
        } finally {
            JVM_END.leave();
        }
    }

    private static void report(Throwable thrown) {
        try {
            LOG.log(System.Logger.Level.ERROR, "releasing the memory of a DLPack tensor failed", thrown);
        } catch (Throwable alsoThrown) {
            return; // no memory or stack left to say it with
        }
    }
}
