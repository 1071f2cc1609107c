// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.cuframes.ffm.DLDataType;
import io.cuframes.ffm.DLDevice;
import io.cuframes.ffm.DLManagedTensor;
import io.cuframes.ffm.DLManagedTensorVersioned;
import io.cuframes.ffm.DLPackVersion;
import io.cuframes.ffm.DLTensor;
import io.cuframes.ffm.Dlpack;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/** A DLPack structure of a producer that is not this library, whose every field a test can spoil: unless told otherwise, uint8[4, 6] in host memory. */
public final class ProducedTensor {
    private static final AtomicInteger DELETIONS = new AtomicInteger();

    /** One for all, since a deleter is never freed. */
    private static final long DELETER = Dlpack.deleter(self -> DELETIONS.incrementAndGet());

    private final Arena arena;
    private final MemorySegment structure;
    private final long tensor;
    private final int deletionsBefore = DELETIONS.get();

    private ProducedTensor(Arena arena, long length, long tensor, long deleter) {
        this.arena = arena;
        this.structure = arena.allocate(length, 8);
        this.tensor = tensor;
        structure.set(JAVA_LONG, deleter, DELETER);
        data(arena.allocate(24).address());
        device(Dlpack.kDLCPU, 0);
        type(Dlpack.kDLUInt, 8, 1);
        shape(4, 6);
    }

    public static ProducedTensor versioned(Arena arena) {
        ProducedTensor made = new ProducedTensor(
                arena,
                DLManagedTensorVersioned.LENGTH,
                DLManagedTensorVersioned.DL_TENSOR_OFFSET,
                DLManagedTensorVersioned.DELETER_OFFSET);
        return made.version(1, 0);
    }

    public static ProducedTensor unversioned(Arena arena) {
        return new ProducedTensor(
                arena, DLManagedTensor.LENGTH, DLManagedTensor.DL_TENSOR_OFFSET, DLManagedTensor.DELETER_OFFSET);
    }

    public ProducedTensor version(int major, int minor) {
        structure.set(JAVA_INT, DLManagedTensorVersioned.VERSION_OFFSET + DLPackVersion.MAJOR_OFFSET, major);
        structure.set(JAVA_INT, DLManagedTensorVersioned.VERSION_OFFSET + DLPackVersion.MINOR_OFFSET, minor);
        return this;
    }

    public ProducedTensor flags(long flags) {
        structure.set(JAVA_LONG, DLManagedTensorVersioned.FLAGS_OFFSET, flags);
        return this;
    }

    /** For the versioned form: nothing is to be done when it is deleted. */
    public ProducedTensor withoutDeleter() {
        structure.set(JAVA_LONG, DLManagedTensorVersioned.DELETER_OFFSET, 0);
        return this;
    }

    public ProducedTensor data(long address) {
        structure.set(JAVA_LONG, tensor + DLTensor.DATA_OFFSET, address);
        return this;
    }

    public ProducedTensor byteOffset(long bytes) {
        structure.set(JAVA_LONG, tensor + DLTensor.BYTE_OFFSET_OFFSET, bytes);
        return this;
    }

    public ProducedTensor device(int type, int ordinal) {
        structure.set(JAVA_INT, tensor + DLTensor.DEVICE_OFFSET + DLDevice.DEVICE_TYPE_OFFSET, type);
        structure.set(JAVA_INT, tensor + DLTensor.DEVICE_OFFSET + DLDevice.DEVICE_ID_OFFSET, ordinal);
        return this;
    }

    public ProducedTensor type(int code, int bits, int lanes) {
        structure.set(JAVA_BYTE, tensor + DLTensor.DTYPE_OFFSET + DLDataType.CODE_OFFSET, (byte) code);
        structure.set(JAVA_BYTE, tensor + DLTensor.DTYPE_OFFSET + DLDataType.BITS_OFFSET, (byte) bits);
        structure.set(JAVA_SHORT, tensor + DLTensor.DTYPE_OFFSET + DLDataType.LANES_OFFSET, (short) lanes);
        return this;
    }

    public ProducedTensor dimensions(int count) {
        structure.set(JAVA_INT, tensor + DLTensor.NDIM_OFFSET, count);
        return this;
    }

    /** Sets the shape, and as many dimensions; the strides are left out, as for rows without gaps. */
    public ProducedTensor shape(long... shape) {
        structure.set(
                JAVA_LONG,
                tensor + DLTensor.SHAPE_OFFSET,
                shape.length == 0 ? 0 : arena.allocateFrom(JAVA_LONG, shape).address());
        structure.set(JAVA_LONG, tensor + DLTensor.STRIDES_OFFSET, 0);
        return dimensions(shape.length);
    }

    public ProducedTensor strides(long... strides) {
        structure.set(
                JAVA_LONG,
                tensor + DLTensor.STRIDES_OFFSET,
                arena.allocateFrom(JAVA_LONG, strides).address());
        return this;
    }

    /** What a consumer is given. */
    public long address() {
        return structure.address();
    }

    /** How often the deleter was called since this one was made; for tests that make one at a time. */
    public int deletions() {
        return DELETIONS.get() - deletionsBefore;
    }
}
