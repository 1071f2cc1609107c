// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.cuframes.CudaException;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.CudaMemcpy2D;
import io.cuframes.ffm.LibCuda;
import io.cuframes.ffm.LibCudart;
import io.cuframes.ffm.LibraryNotFoundException;
import io.cuframes.internal.os.NativeCalls;
import io.cuframes.internal.protocol.DeviceUuid;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The CUDA calls of this library with their status checked: a failure names the call, the code, its CUDA name and text, and what to do where that
 * is known. They are calls of the driver, in the devices' primary contexts, which are those of the runtime library; the runtime itself is needed
 * for memory that is shared by its IPC handles only.
 */
public final class Cuda {
    /** Bytes of an address or a handle, and of the largest structure that is passed. */
    private static final long SCRATCH_BYTES = CudaMemcpy2D.LENGTH;

    private static final int NAME_BYTES = 256;
    private static final long DEFAULT_STREAM = 0;

    private static final ThreadLocal<MemorySegment> SCRATCH =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(SCRATCH_BYTES, Long.BYTES));

    /** The primary context of each device used so far, 0 for the others; replaced as a whole. They are kept, as the runtime keeps them. */
    private static volatile long[] contexts = {};

    private Cuda() {}

    /**
     * Loads libcuda and initializes it.
     *
     * @throws CuframesException code CUDA if it is not there, naming every place tried, or finds no device
     */
    public static void load() {
        NativeCalls.require();
        try {
            LibCuda.load();
        } catch (LibraryNotFoundException e) {
            throw new CuframesException(ErrorCode.CUDA, e.getMessage(), e);
        }
        checkDriver(LibCuda.cuInit(0), "cuInit");
    }

    /**
     * Loads libcudart.
     *
     * @throws CuframesException code CUDA if it is not there, naming every place tried
     */
    public static void loadRuntime() {
        NativeCalls.require();
        try {
            LibCudart.load();
        } catch (LibraryNotFoundException e) {
            throw new CuframesException(ErrorCode.CUDA, e.getMessage(), e);
        }
    }

    /** Why there is no CUDA device for this process, in a line; null if there is one. */
    public static String whyUnavailable() {
        try {
            NativeCalls.require();
            LibCuda.load();
            return devices().isEmpty() ? "no CUDA device" : null;
        } catch (LibraryNotFoundException e) {
            return e.summary();
        } catch (CuframesException e) {
            return e.getMessage();
        }
    }

    /** Why there is no runtime library, in a line; null if there is one. */
    public static String whyNoRuntime() {
        try {
            LibCudart.load();
            return null;
        } catch (LibraryNotFoundException e) {
            return e.summary();
        }
    }

    /** The newest CUDA that the driver serves: 13020 is 13.2. */
    public static int driverVersion() {
        MemorySegment out = scratch();
        checkDriver(LibCuda.cuDriverGetVersion(out), "cuDriverGetVersion");
        return out.get(JAVA_INT, 0);
    }

    /** The CUDA that the runtime library is of: 13020 is 13.2. */
    public static int runtimeVersion() {
        MemorySegment out = scratch();
        check(LibCudart.cudaRuntimeGetVersion(out), "cudaRuntimeGetVersion");
        return out.get(JAVA_INT, 0);
    }

    /**
     * A device's memory.
     *
     * @param free bytes nobody has
     * @param total bytes there are
     */
    public record MemoryInfo(long free, long total) {}

    /** How much memory a device has, which takes a context on it. */
    public static MemoryInfo memory(CudaDevice device) {
        long previous = useDevice(device.ordinal());
        try {
            MemorySegment out = scratch();
            checkDriver(LibCuda.cuMemGetInfo_v2(out, out.asSlice(Long.BYTES)), "cuMemGetInfo");
            return new MemoryInfo(out.get(JAVA_LONG, 0), out.get(JAVA_LONG, Long.BYTES));
        } finally {
            restoreDevice(previous, device.ordinal());
        }
    }

    /** The devices this process sees, by ordinal. */
    public static List<CudaDevice> devices() {
        checkDriver(LibCuda.cuInit(0), "cuInit");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_INT);
            checkDriver(LibCuda.cuDeviceGetCount(out), "cuDeviceGetCount");
            int count = out.get(JAVA_INT, 0);
            List<CudaDevice> devices = new ArrayList<>();
            MemorySegment uuid = arena.allocate(DeviceUuid.LENGTH);
            MemorySegment name = arena.allocate(NAME_BYTES);
            for (int ordinal = 0; ordinal < count; ordinal++) {
                int device = handleOf(ordinal, out);
                checkDriver(LibCuda.cuDeviceGetUuid_v2(uuid, device), "cuDeviceGetUuid");
                checkDriver(LibCuda.cuDeviceGetName(name, NAME_BYTES, device), "cuDeviceGetName");
                devices.add(new CudaDevice(ordinal, DeviceUuid.read(uuid), name.getString(0)));
            }
            return devices;
        }
    }

    private static int handleOf(int ordinal, MemorySegment out) {
        checkDriver(LibCuda.cuDeviceGet(out, ordinal), "cuDeviceGet");
        return out.get(JAVA_INT, 0);
    }

    /** An attribute of a device: a {@code CU_DEVICE_ATTRIBUTE} constant of {@link LibCuda}. */
    static int attribute(CudaDevice device, int attribute) {
        MemorySegment out = scratch();
        int handle = handleOf(device.ordinal(), out);
        checkDriver(LibCuda.cuDeviceGetAttribute(out, attribute, handle), "cuDeviceGetAttribute");
        return out.get(JAVA_INT, 0);
    }

    /** Whether a device can reach the memory of another; its own it can. */
    static boolean canReach(CudaDevice device, CudaDevice owner) {
        if (device.ordinal() == owner.ordinal()) {
            return true;
        }
        MemorySegment out = scratch();
        int from = handleOf(device.ordinal(), out);
        int to = handleOf(owner.ordinal(), out);
        checkDriver(LibCuda.cuDeviceCanAccessPeer(out, from, to), "cuDeviceCanAccessPeer");
        return out.get(JAVA_INT, 0) != 0;
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

    /** The device of a UUID, or null if this process does not see it. */
    public static CudaDevice visible(DeviceUuid uuid) {
        return devices().stream()
                .filter(device -> device.uuid().equals(uuid))
                .findFirst()
                .orElse(null);
    }

    /** Devices in words. */
    static String describe(List<CudaDevice> devices) {
        return devices.isEmpty()
                ? "no device"
                : String.join(", ", devices.stream().map(CudaDevice::toString).toList());
    }

    /** Where a call of this thread puts what it finds: {@value #SCRATCH_BYTES} bytes, until the next call. */
    static MemorySegment scratch() {
        return SCRATCH.get();
    }

    /** Makes the device's primary context current on this thread; returns the context that was, or 0, for {@link #restoreDevice}. Allocates nothing. */
    public static long useDevice(int ordinal) {
        long context = contextOf(ordinal);
        MemorySegment out = scratch();
        checkDriver(LibCuda.cuCtxGetCurrent(out), "cuCtxGetCurrent");
        long previous = out.get(JAVA_LONG, 0);
        if (previous != context) {
            checkDriver(LibCuda.cuCtxSetCurrent(context), "cuCtxSetCurrent");
        }
        return previous;
    }

    /**
     * Makes the context current again that {@link #useDevice} replaced. Where that fails, its device is lost, which its next user is told: it is not
     * thrown here, since what was done on the other device counts, or failed for a reason of its own.
     */
    public static void restoreDevice(long previous, int used) {
        if (previous != contextOf(used)) {
            LibCuda.cuCtxSetCurrent(previous);
        }
    }

    private static long contextOf(int ordinal) {
        long[] known = contexts;
        return ordinal < known.length && known[ordinal] != 0 ? known[ordinal] : retainContext(ordinal);
    }

    private static synchronized long retainContext(int ordinal) {
        long[] known = contexts;
        if (ordinal < known.length && known[ordinal] != 0) {
            return known[ordinal];
        }
        MemorySegment out = scratch();
        int device = handleOf(ordinal, out);
        checkDriver(LibCuda.cuDevicePrimaryCtxRetain(out, device), "cuDevicePrimaryCtxRetain");
        long[] more = Arrays.copyOf(known, Math.max(known.length, ordinal + 1));
        more[ordinal] = out.get(JAVA_LONG, 0);
        contexts = more;
        return more[ordinal];
    }

    /**
     * Lets this thread query and release what is the library's own while another thread captures a graph of its streams: in the other modes such a call
     * ends the capture. Returns the mode before, for {@link #restoreCapture}. Allocates nothing.
     */
    static int relaxCapture() {
        return exchangeCapture(LibCuda.CU_STREAM_CAPTURE_MODE_RELAXED);
    }

    /** Puts the mode back that {@link #relaxCapture} replaced. */
    static void restoreCapture(int mode) {
        exchangeCapture(mode);
    }

    private static int exchangeCapture(int mode) {
        MemorySegment exchanged = scratch();
        exchanged.set(JAVA_INT, 0, mode);
        LibCuda.cuThreadExchangeStreamCaptureMode(exchanged); // no check: what follows fails by itself
        return exchanged.get(JAVA_INT, 0);
    }

    /** Makes a stream that does not wait for the legacy default stream, on the current device. */
    public static long createStream() {
        MemorySegment out = scratch();
        checkDriver(LibCuda.cuStreamCreate(out, LibCuda.CU_STREAM_NON_BLOCKING), "cuStreamCreate");
        return out.get(JAVA_LONG, 0);
    }

    /** Makes an event without timing, for ordering streams of this process, on the current device. */
    static long createEvent() {
        MemorySegment out = scratch();
        checkDriver(LibCuda.cuEventCreate(out, LibCuda.CU_EVENT_DISABLE_TIMING), "cuEventCreate");
        return out.get(JAVA_LONG, 0);
    }

    /** Whether the work is done that the event stands for now. */
    static boolean isDone(long event) {
        int status = LibCuda.cuEventQuery(event);
        if (status == LibCuda.CUDA_ERROR_NOT_READY) {
            return false;
        }
        checkDriver(status, "cuEventQuery");
        return true;
    }

    /** Whether all that is queued on the stream is done. */
    static boolean isIdle(long stream) {
        int status = LibCuda.cuStreamQuery(stream);
        if (status == LibCuda.CUDA_ERROR_NOT_READY) {
            return false;
        }
        checkDriver(status, "cuStreamQuery");
        return true;
    }

    /** Has the stream wait, in this process, for what the event stands for now. */
    static void await(long stream, long event) {
        checkDriver(LibCuda.cuStreamWaitEvent(stream, event, 0), "cuStreamWaitEvent");
    }

    /** Maps a page of host memory, which may be shared with other processes, for the current device; returns its device address. */
    static long registerHost(MemorySegment memory) {
        checkDriver(
                LibCuda.cuMemHostRegister_v2(memory, memory.byteSize(), LibCuda.CU_MEMHOSTREGISTER_DEVICEMAP),
                "cuMemHostRegister");
        MemorySegment out = scratch();
        int status = LibCuda.cuMemHostGetDevicePointer_v2(out, memory, 0);
        if (status != LibCuda.CUDA_SUCCESS) {
            LibCuda.cuMemHostUnregister(memory);
            checkDriver(status, "cuMemHostGetDevicePointer");
        }
        return out.get(JAVA_LONG, 0);
    }

    /**
     * Undoes {@link #registerHost}. Waits for all that is queued in the context, as measured.
     *
     * @throws CudaException if the page is registered still
     */
    static void unregisterHost(MemorySegment memory) {
        checkDriver(LibCuda.cuMemHostUnregister(memory), "cuMemHostUnregister", " of a page that the GPU writes");
    }

    /** Has the GPU write a word, in stream order: behind all earlier work of the stream, and visible to everybody after it. */
    static void writeWord(long stream, long address, long word) {
        // Default flags: a system-wide barrier comes before the write.
        checkDriver(
                LibCuda.cuStreamWriteValue64_v2(stream, address, word, LibCuda.CU_STREAM_WRITE_VALUE_DEFAULT),
                "cuStreamWriteValue64");
    }

    /**
     * Copies rows between host and device memory, in any direction, in stream order. Allocates nothing.
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
        MemorySegment copy = scratch().fill((byte) 0);
        copy.set(JAVA_INT, CudaMemcpy2D.SRC_MEMORY_TYPE_OFFSET, LibCuda.CU_MEMORYTYPE_UNIFIED);
        copy.set(JAVA_LONG, CudaMemcpy2D.SRC_DEVICE_OFFSET, from);
        copy.set(JAVA_LONG, CudaMemcpy2D.SRC_PITCH_OFFSET, fromPitch);
        copy.set(JAVA_INT, CudaMemcpy2D.DST_MEMORY_TYPE_OFFSET, LibCuda.CU_MEMORYTYPE_UNIFIED);
        copy.set(JAVA_LONG, CudaMemcpy2D.DST_DEVICE_OFFSET, to);
        copy.set(JAVA_LONG, CudaMemcpy2D.DST_PITCH_OFFSET, toPitch);
        copy.set(JAVA_LONG, CudaMemcpy2D.WIDTH_IN_BYTES_OFFSET, rowBytes);
        copy.set(JAVA_LONG, CudaMemcpy2D.HEIGHT_OFFSET, rows);
        checkDriver(LibCuda.cuMemcpy2DAsync_v2(copy, stream), "cuMemcpy2DAsync");
    }

    /** Copies device memory to host memory, in stream order. */
    static void copyToHost(MemorySegment target, long source, long stream) {
        checkDriver(
                LibCuda.cuMemcpyDtoHAsync_v2(target.address(), source, target.byteSize(), stream), "cuMemcpyDtoHAsync");
    }

    /** Fills device memory with zeros and waits for it. */
    static void zero(long address, long length) {
        checkDriver(LibCuda.cuMemsetD8_v2(address, 0, length), "cuMemsetD8");
        synchronize(DEFAULT_STREAM); // or it could be late, and erase what is written next
    }

    /** Waits until everything queued on the stream is done. */
    public static void synchronize(long stream) {
        checkDriver(LibCuda.cuStreamSynchronize(stream), "cuStreamSynchronize");
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
    public static void checkDriver(int status, String call) {
        checkDriver(status, call, "");
    }

    /**
     * Checks the status of a driver call.
     *
     * @param status what it returned
     * @param call the function
     * @param object what it was called for, for the message: "", or words that begin with a space
     * @throws CudaException if it is not CUDA_SUCCESS
     */
    static void checkDriver(int status, String call, String object) {
        if (status != LibCuda.CUDA_SUCCESS) {
            throw new CudaException(
                    call,
                    status,
                    message(call + object, status, LibCuda.cuGetErrorName(status), LibCuda.cuGetErrorString(status)));
        }
    }

    /** A status in words, as CUDA has them. */
    static String text(int status) {
        return status + " " + LibCuda.cuGetErrorName(status) + " (" + LibCuda.cuGetErrorString(status) + ")";
    }

    private static String message(String call, int status, String name, String text) {
        String advice = advice(status, call);
        return call + " failed: " + status + " " + name + " (" + text + ")" + (advice.isEmpty() ? "" : ": " + advice);
    }

    /** Runtime and driver share these numbers. */
    private static String advice(int status, String call) {
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
                call.startsWith("cudaIpc")
                        ? "another process's memory could not be mapped: publisher and subscriber must be on the same GPU and driver"
                        : "";
            case LibCudart.cudaErrorNotSupported ->
                "this driver or device cannot do it; under WSL2, MIG or a virtual GPU, CUDA may not share memory between processes";
            case LibCudart.cudaErrorSystemDriverMismatch ->
                "the driver's kernel module and its user libraries are of different versions: restart the machine or the container";
            default -> "";
        };
    }
}
