// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.CudaException;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.CudaDeviceProp;
import io.cuframes.ffm.LibCuda;
import io.cuframes.ffm.LibCudart;
import io.cuframes.ffm.LibraryNotFoundException;
import io.cuframes.internal.protocol.DeviceUuid;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** The CUDA calls of this library with their status checked: a failure names the call, the code, its CUDA name and text, and what to do where that is known. */
public final class Cuda {
    private static final System.Logger LOG = System.getLogger(Cuda.class.getName());

    private static final long SCRATCH_BYTES = 128;

    private static final ThreadLocal<MemorySegment> SCRATCH =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(SCRATCH_BYTES, Long.BYTES));

    private Cuda() {}

    /**
     * Loads libcudart and libcuda.
     *
     * @throws CuframesException code CUDA if one is not there, naming every place tried
     */
    public static void load() {
        try {
            LibCudart.load();
            LibCuda.load();
        } catch (LibraryNotFoundException e) {
            throw new CuframesException(ErrorCode.CUDA, e.getMessage(), e);
        }
    }

    /** Why there is no CUDA device for this process, in a line; null if there is one. */
    public static String whyUnavailable() {
        try {
            LibCudart.load();
            LibCuda.load();
            return devices().isEmpty() ? "no CUDA device" : null;
        } catch (LibraryNotFoundException e) {
            return e.summary();
        } catch (CuframesException e) {
            return e.getMessage();
        }
    }

    /** The devices this process sees, by ordinal. */
    public static List<CudaDevice> devices() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(JAVA_INT);
            check(LibCudart.cudaGetDeviceCount(count), "cudaGetDeviceCount");
            List<CudaDevice> devices = new ArrayList<>();
            MemorySegment properties = arena.allocate(CudaDeviceProp.BUFFER_LENGTH, Long.BYTES);
            for (int ordinal = 0; ordinal < count.get(JAVA_INT, 0); ordinal++) {
                check(LibCudart.cudaGetDeviceProperties(properties, ordinal), "cudaGetDeviceProperties");
                devices.add(new CudaDevice(
                        ordinal,
                        DeviceUuid.read(properties.asSlice(CudaDeviceProp.UUID_OFFSET, 16)),
                        properties.getString(CudaDeviceProp.NAME_OFFSET)));
            }
            return devices;
        }
    }

    /**
     * The device of an ordinal.
     *
     * @throws CuframesException code INVALID_ARGUMENT if this process sees no such device
     */
    public static CudaDevice device(int ordinal) {
        List<CudaDevice> devices = devices();
        if (ordinal < 0 || ordinal >= devices.size()) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "no CUDA device " + ordinal + ": this process sees " + describe(devices));
        }
        return devices.get(ordinal);
    }

    /**
     * The device of a UUID, whatever its ordinal is here.
     *
     * @throws CuframesException code CUDA if this process does not see it
     */
    public static CudaDevice device(DeviceUuid uuid) {
        List<CudaDevice> devices = devices();
        return devices.stream()
                .filter(device -> device.uuid().equals(uuid))
                .findFirst()
                .orElseThrow(() -> new CuframesException(
                        ErrorCode.CUDA,
                        "the frames are on " + uuid + ", and this process sees " + describe(devices)
                                + ": check CUDA_VISIBLE_DEVICES, or the GPUs given to the container"));
    }

    private static String describe(List<CudaDevice> devices) {
        return devices.isEmpty()
                ? "no device"
                : String.join(", ", devices.stream().map(CudaDevice::toString).toList());
    }

    /** Where a call of this thread puts what it finds: {@value #SCRATCH_BYTES} bytes, until the next call. */
    static MemorySegment scratch() {
        return SCRATCH.get();
    }

    /** Makes the device current on this thread; returns the one that was, for {@link #restoreDevice}. Allocates nothing. */
    public static int useDevice(int ordinal) {
        MemorySegment current = scratch();
        check(LibCudart.cudaGetDevice(current), "cudaGetDevice");
        int previous = current.get(JAVA_INT, 0);
        // Not skipped when it is current already: the first call also makes the primary context current on this thread.
        check(LibCudart.cudaSetDevice(ordinal), "cudaSetDevice");
        return previous;
    }

    /**
     * Makes the device current again that {@link #useDevice} replaced. Where that fails, that device is lost, which its next user is told: it is
     * logged here and not thrown, since what was done on the other device counts, or failed for a reason of its own.
     */
    public static void restoreDevice(int previous, int used) {
        if (previous != used) {
            int status = LibCudart.cudaSetDevice(previous);
            if (status != LibCudart.cudaSuccess) {
                LibCudart.cudaGetLastError();
                LOG.log(
                        System.Logger.Level.WARNING,
                        () -> "device " + previous + " could not be made current again: " + status + " "
                                + LibCudart.cudaGetErrorName(status));
            }
        }
    }

    /** Makes a stream that does not wait for the legacy default stream, on the current device. */
    public static long createStream() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stream = arena.allocate(JAVA_LONG);
            check(
                    LibCudart.cudaStreamCreateWithFlags(stream, LibCudart.cudaStreamNonBlocking),
                    "cudaStreamCreateWithFlags");
            return stream.get(JAVA_LONG, 0);
        }
    }

    /** Makes an event without timing, for ordering streams of this process, on the current device. */
    static long createEvent() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment event = arena.allocate(JAVA_LONG);
            check(
                    LibCudart.cudaEventCreateWithFlags(event, LibCudart.cudaEventDisableTiming),
                    "cudaEventCreateWithFlags");
            return event.get(JAVA_LONG, 0);
        }
    }

    /** Maps a page of host memory, which may be shared with other processes, for the current device; returns its device address. */
    static long registerHost(MemorySegment memory) {
        check(
                LibCudart.cudaHostRegister(memory, memory.byteSize(), LibCudart.cudaHostRegisterMapped),
                "cudaHostRegister");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment device = arena.allocate(JAVA_LONG);
            int status = LibCudart.cudaHostGetDevicePointer(device, memory, 0);
            if (status != LibCudart.cudaSuccess) {
                LibCudart.cudaHostUnregister(memory);
                check(status, "cudaHostGetDevicePointer");
            }
            return device.get(JAVA_LONG, 0);
        }
    }

    /**
     * Copies rows between host and device memory, in any direction, in stream order.
     *
     * @param to first byte of the target
     * @param toPitch bytes from row to row there
     * @param from first byte of the source
     * @param fromPitch bytes from row to row there
     * @param rowBytes bytes of a row to copy
     * @param rows how many
     * @param stream the stream
     */
    public static void copyRows(
            long to, long toPitch, long from, long fromPitch, long rowBytes, long rows, long stream) {
        check(
                LibCudart.cudaMemcpy2DAsync(
                        to, toPitch, from, fromPitch, rowBytes, rows, LibCudart.cudaMemcpyDefault, stream),
                "cudaMemcpy2DAsync");
    }

    /** Waits until everything queued on the stream is done. */
    public static void synchronize(long stream) {
        check(LibCudart.cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    }

    /**
     * Checks the status of a runtime call.
     *
     * @throws CudaException if it is not cudaSuccess
     */
    public static void check(int status, String call) {
        check(status, call, "");
    }

    /**
     * Checks the status of a runtime call.
     *
     * @param status what it returned
     * @param call the function
     * @param object what it was called for, for the message: "", or words that begin with a space
     * @throws CudaException if it is not cudaSuccess
     */
    static void check(int status, String call, String object) {
        if (status != LibCudart.cudaSuccess) {
            LibCudart.cudaGetLastError(); // so that a later, unrelated check does not report this error once more
            String name = LibCudart.cudaGetErrorName(status);
            throw new CudaException(
                    call, status, message(call + object, status, name, LibCudart.cudaGetErrorString(status)));
        }
    }

    /**
     * Checks the status of a driver call.
     *
     * @throws CudaException if it is not CUDA_SUCCESS
     */
    static void checkDriver(int status, String call) {
        if (status != LibCuda.CUDA_SUCCESS) {
            throw new CudaException(
                    call,
                    status,
                    message(call, status, LibCuda.cuGetErrorName(status), LibCuda.cuGetErrorString(status)));
        }
    }

    private static String message(String call, int status, String name, String text) {
        String advice = advice(status);
        return call + " failed: " + status + " " + name + " (" + text + ")" + (advice.isEmpty() ? "" : ": " + advice);
    }

    /** Runtime and driver share these numbers. */
    private static String advice(int status) {
        return switch (status) {
            case LibCudart.cudaErrorMemoryAllocation ->
                "use fewer or smaller slots, or free device memory (nvidia-smi shows who holds it)";
            case LibCudart.cudaErrorInsufficientDriver ->
                "there is no NVIDIA driver, or one older than this libcudart: install or update the driver; in a container, start it"
                        + " with GPU access";
            case LibCudart.cudaErrorNoDevice ->
                "no GPU is visible: check nvidia-smi and CUDA_VISIBLE_DEVICES; in a container, start it with GPU access";
            case LibCudart.cudaErrorInvalidDevice -> "no such device: check CUDA_VISIBLE_DEVICES";
            case LibCudart.cudaErrorMapBufferObjectFailed, LibCudart.cudaErrorInvalidResourceHandle ->
                "another process's memory could not be mapped: publisher and subscriber must be on the same GPU and driver";
            case LibCudart.cudaErrorNotSupported ->
                "this driver or device cannot do it; under WSL2, MIG or a virtual GPU, CUDA may not share memory between processes";
            case LibCudart.cudaErrorSystemDriverMismatch ->
                "the driver's kernel module and its user libraries are of different versions: restart the machine or the container";
            default -> "";
        };
    }
}
