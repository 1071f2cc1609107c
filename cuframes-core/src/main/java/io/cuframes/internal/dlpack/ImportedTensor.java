// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.dlpack;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.TensorDevice;
import io.cuframes.TensorType;
import io.cuframes.ffm.DLDataType;
import io.cuframes.ffm.DLDevice;
import io.cuframes.ffm.DLManagedTensor;
import io.cuframes.ffm.DLManagedTensorVersioned;
import io.cuframes.ffm.DLPackVersion;
import io.cuframes.ffm.DLTensor;
import io.cuframes.ffm.Dlpack;
import java.lang.foreign.MemorySegment;

/**
 * A tensor of another library, taken over from a DLPack structure.
 *
 * @param spec what the structure said when it was taken over
 * @param self the structure's address
 * @param deleter address of the function that gives it back; 0 if there is nothing to be done
 */
public record ImportedTensor(TensorSpec spec, long self, long deleter) {
    /** More than any video tensor has, and few enough that no array is read for long on the word of a damaged structure. */
    private static final int MAX_DIMENSIONS = 8;

    /**
     * Takes over a {@code DLManagedTensorVersioned}.
     *
     * @param address the structure's; deleted also if it is refused
     * @throws CuframesException code UNSUPPORTED or INVALID_ARGUMENT if it is refused
     */
    public static ImportedTensor ofVersioned(long address) {
        requireAddress(address);
        // Up to here the structure is the same in every version.
        MemorySegment constant = Dlpack.memory(address, DLManagedTensorVersioned.DL_TENSOR_OFFSET);
        long deleter = constant.get(JAVA_LONG, DLManagedTensorVersioned.DELETER_OFFSET);
        try {
            int major = constant.get(JAVA_INT, DLManagedTensorVersioned.VERSION_OFFSET + DLPackVersion.MAJOR_OFFSET);
            if (major != Dlpack.DLPACK_MAJOR_VERSION) {
                throw unsupported(
                        "it is of DLPack " + Integer.toUnsignedString(major) + ", and only version 1 is known");
            }
            long flags = constant.get(JAVA_LONG, DLManagedTensorVersioned.FLAGS_OFFSET);
            boolean readOnly = (flags & Dlpack.DLPACK_FLAG_BITMASK_READ_ONLY) != 0;
            return new ImportedTensor(
                    read(address + DLManagedTensorVersioned.DL_TENSOR_OFFSET, readOnly), address, deleter);
        } catch (Throwable e) {
            delete(deleter, address);
            throw e;
        }
    }

    /**
     * Takes over a {@code DLManagedTensor}, which cannot say whether it may be written.
     *
     * @param address the structure's; deleted also if it is refused
     * @throws CuframesException code UNSUPPORTED or INVALID_ARGUMENT if it is refused
     */
    public static ImportedTensor ofUnversioned(long address) {
        requireAddress(address);
        long deleter = Dlpack.memory(address, DLManagedTensor.LENGTH).get(JAVA_LONG, DLManagedTensor.DELETER_OFFSET);
        try {
            return new ImportedTensor(read(address + DLManagedTensor.DL_TENSOR_OFFSET, false), address, deleter);
        } catch (Throwable e) {
            delete(deleter, address);
            throw e;
        }
    }

    /** Gives it back to its producer; to be called once. */
    public void delete() {
        delete(deleter, self);
    }

    private static void delete(long deleter, long self) {
        if (deleter != 0) {
            Dlpack.callDeleter(deleter, self);
        }
    }

    private static TensorSpec read(long address, boolean readOnly) {
        MemorySegment tensor = Dlpack.memory(address, DLTensor.LENGTH);
        int dimensions = tensor.get(JAVA_INT, DLTensor.NDIM_OFFSET);
        if (dimensions < 0 || dimensions > MAX_DIMENSIONS) {
            throw invalid(
                    "it says that it has " + dimensions + " dimensions, and 0 to " + MAX_DIMENSIONS + " are known");
        }
        TensorDevice device = device(tensor);
        TensorType type = type(tensor);
        long[] shape = shape(tensor, dimensions);
        return new TensorSpec(
                data(tensor, shape),
                device,
                device.isHost() ? 0 : tensor.get(JAVA_INT, DLTensor.DEVICE_OFFSET + DLDevice.DEVICE_ID_OFFSET),
                type,
                readOnly,
                shape,
                strides(tensor, shape));
    }

    private static TensorDevice device(MemorySegment tensor) {
        int code = tensor.get(JAVA_INT, DLTensor.DEVICE_OFFSET + DLDevice.DEVICE_TYPE_OFFSET);
        TensorDevice device = TensorDevice.ofCode(code);
        if (device == null) {
            throw unsupported(
                    "it is on a device of type " + code + ", and host memory, CUDA and pinned host memory (types "
                            + Dlpack.kDLCPU + ", " + Dlpack.kDLCUDA + ", " + Dlpack.kDLCUDAHost
                            + ") are known: move it to one of them");
        }
        return device;
    }

    private static TensorType type(MemorySegment tensor) {
        int code = tensor.get(JAVA_BYTE, DLTensor.DTYPE_OFFSET + DLDataType.CODE_OFFSET) & 0xff;
        int bits = tensor.get(JAVA_BYTE, DLTensor.DTYPE_OFFSET + DLDataType.BITS_OFFSET) & 0xff;
        int lanes = tensor.get(JAVA_SHORT, DLTensor.DTYPE_OFFSET + DLDataType.LANES_OFFSET) & 0xffff;
        TensorType type = TensorType.of(code, bits);
        if (type == null || lanes != 1) {
            throw unsupported("its elements are of type code " + code + " with " + bits + " bits and " + lanes
                    + " lanes, and integers and floating point of one lane are known: convert it");
        }
        return type;
    }

    private static long[] shape(MemorySegment tensor, int dimensions) {
        long[] shape = array(tensor.get(JAVA_LONG, DLTensor.SHAPE_OFFSET), dimensions);
        if (shape == null) {
            throw invalid("it has no shape");
        }
        for (long elements : shape) {
            if (elements < 0) {
                throw invalid("it says that a dimension has " + elements + " elements");
            }
        }
        return shape;
    }

    private static long[] strides(MemorySegment tensor, long[] shape) {
        long[] strides = array(tensor.get(JAVA_LONG, DLTensor.STRIDES_OFFSET), shape.length);
        return strides == null ? compact(shape) : strides;
    }

    /** The strides of rows that follow one another without gaps. */
    private static long[] compact(long[] shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            long all = stride * Math.max(1, shape[i]);
            if (Math.multiplyHigh(stride, Math.max(1, shape[i])) != 0 || all < 0) {
                throw invalid("it says that it has more elements than there is memory");
            }
            stride = all;
        }
        return strides;
    }

    /** What an array of the structure holds; null where its address is 0 and it is not empty. */
    private static long[] array(long address, int length) {
        if (length == 0) {
            return new long[0];
        }
        return address == 0
                ? null
                : Dlpack.memory(address, (long) length * Long.BYTES).toArray(JAVA_LONG);
    }

    private static long data(MemorySegment tensor, long[] shape) {
        long data = tensor.get(JAVA_LONG, DLTensor.DATA_OFFSET);
        for (long elements : shape) {
            if (elements == 0) {
                return data; // no elements: no memory, and often no address
            }
        }
        if (data == 0) {
            throw invalid("it has elements and no memory");
        }
        return data + tensor.get(JAVA_LONG, DLTensor.BYTE_OFFSET_OFFSET);
    }

    private static void requireAddress(long address) {
        if (address == 0) {
            throw invalid("its address is 0");
        }
    }

    private static CuframesException invalid(String what) {
        return new CuframesException(ErrorCode.INVALID_ARGUMENT, "a DLPack tensor is refused: " + what);
    }

    private static CuframesException unsupported(String what) {
        return new CuframesException(ErrorCode.UNSUPPORTED, "a DLPack tensor is refused: " + what);
    }
}
