// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The functions and constants of libcuda, the CUDA driver, under their C names, as {@code cuda.h} declares them.
 *
 * <p>Status codes are returned, not checked. Device addresses and handles are {@code long}, devices are {@code int},
 * host memory is a segment. The current context is per thread. Each function is linked at its first call; {@link
 * #load()} before that gives a missing library its own exception.
 */
@SuppressWarnings("MemberName") // C names
public final class LibCuda {
    /** No error. */
    public static final int CUDA_SUCCESS = 0;

    /** An argument is out of range. */
    public static final int CUDA_ERROR_INVALID_VALUE = 1;

    /** Out of memory. */
    public static final int CUDA_ERROR_OUT_OF_MEMORY = 2;

    /** {@link #cuInit} has not been called. */
    public static final int CUDA_ERROR_NOT_INITIALIZED = 3;

    /** The driver is shutting down. */
    public static final int CUDA_ERROR_DEINITIALIZED = 4;

    /** The libcuda that was loaded is a stub for linking. */
    public static final int CUDA_ERROR_STUB_LIBRARY = 34;

    /** No device that this process may use. */
    public static final int CUDA_ERROR_NO_DEVICE = 100;

    /** No such device. */
    public static final int CUDA_ERROR_INVALID_DEVICE = 101;

    /** No context is current, or it is not valid. */
    public static final int CUDA_ERROR_INVALID_CONTEXT = 201;

    /** Mapping failed. */
    public static final int CUDA_ERROR_MAP_FAILED = 205;

    /** A call to the operating system failed. */
    public static final int CUDA_ERROR_OPERATING_SYSTEM = 304;

    /** A handle that is not valid here. */
    public static final int CUDA_ERROR_INVALID_HANDLE = 400;

    /** A named thing was not found. */
    public static final int CUDA_ERROR_NOT_FOUND = 500;

    /** The work asked about is not done yet; not a failure. */
    public static final int CUDA_ERROR_NOT_READY = 600;

    /** A kernel or copy touched memory it may not; the context is lost. */
    public static final int CUDA_ERROR_ILLEGAL_ADDRESS = 700;

    /** The operation is not permitted. */
    public static final int CUDA_ERROR_NOT_PERMITTED = 800;

    /** The operation is not supported on this system or device. */
    public static final int CUDA_ERROR_NOT_SUPPORTED = 801;

    /** Kernel driver and libcuda are of different versions. */
    public static final int CUDA_ERROR_SYSTEM_DRIVER_MISMATCH = 803;

    /** An error of no other kind. */
    public static final int CUDA_ERROR_UNKNOWN = 999;

    /** Major number of the compute capability. */
    public static final int CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75;

    /** Minor number of the compute capability. */
    public static final int CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76;

    /** PCI bus number. */
    public static final int CU_DEVICE_ATTRIBUTE_PCI_BUS_ID = 33;

    /** PCI device number. */
    public static final int CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID = 34;

    /** PCI domain number. */
    public static final int CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID = 50;

    /** 1 where device and host share their memory. */
    public static final int CU_DEVICE_ATTRIBUTE_INTEGRATED = 18;

    /** 1 where {@link #cuMemCreate} works. */
    public static final int CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED = 102;

    /** 1 where memory can be exported as a descriptor. */
    public static final int CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR_SUPPORTED = 103;

    /** 1 where {@link #cuStreamWriteValue64_v2} works. */
    public static final int CU_DEVICE_ATTRIBUTE_CAN_USE_64_BIT_STREAM_MEM_OPS = 122;

    /** A stream that the legacy default stream waits for and that waits for it. */
    public static final int CU_STREAM_DEFAULT = 0;

    /** A stream that has nothing to do with the legacy default stream. */
    public static final int CU_STREAM_NON_BLOCKING = 1;

    /** A thread whose calls do not end a capture that another thread makes of its own streams. */
    public static final int CU_STREAM_CAPTURE_MODE_RELAXED = 2;

    /** An event without a time. */
    public static final int CU_EVENT_DISABLE_TIMING = 2;

    /** Registered host memory gets an address for the device. */
    public static final int CU_MEMHOSTREGISTER_DEVICEMAP = 2;

    /** Memory type: host memory that CUDA knows. */
    public static final int CU_MEMORYTYPE_HOST = 1;

    /** Memory type: of a device. */
    public static final int CU_MEMORYTYPE_DEVICE = 2;

    /** Memory type of a copy: the address itself says what memory it is. */
    public static final int CU_MEMORYTYPE_UNIFIED = 4;

    /** The write follows the stream's earlier writes, with a memory fence. */
    public static final int CU_STREAM_WRITE_VALUE_DEFAULT = 0;

    /** The write need not wait for earlier writes to be visible. */
    public static final int CU_STREAM_WRITE_VALUE_NO_MEMORY_BARRIER = 1;

    /** Wait until the signed difference of word and value is at least 0. */
    public static final int CU_STREAM_WAIT_VALUE_GEQ = 0;

    /** Wait until word and value are equal. */
    public static final int CU_STREAM_WAIT_VALUE_EQ = 1;

    /** Allocation type: memory that does not move. */
    public static final int CU_MEM_ALLOCATION_TYPE_PINNED = 1;

    /** Location type: a device, its ordinal in {@code id}. */
    public static final int CU_MEM_LOCATION_TYPE_DEVICE = 1;

    /** Not exportable. */
    public static final int CU_MEM_HANDLE_TYPE_NONE = 0;

    /** Exportable as a POSIX descriptor. */
    public static final int CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR = 1;

    /** No access. */
    public static final int CU_MEM_ACCESS_FLAGS_PROT_NONE = 0;

    /** Read-only access. */
    public static final int CU_MEM_ACCESS_FLAGS_PROT_READ = 1;

    /** Read and write access. */
    public static final int CU_MEM_ACCESS_FLAGS_PROT_READWRITE = 3;

    /** The least granularity. */
    public static final int CU_MEM_ALLOC_GRANULARITY_MINIMUM = 0;

    /** The granularity recommended for speed. */
    public static final int CU_MEM_ALLOC_GRANULARITY_RECOMMENDED = 1;

    /** The context of the address, a handle of 8 bytes. */
    public static final int CU_POINTER_ATTRIBUTE_CONTEXT = 1;

    /** The kind of memory, an {@code int}. */
    public static final int CU_POINTER_ATTRIBUTE_MEMORY_TYPE = 2;

    /** 1 for managed memory, one byte. */
    public static final int CU_POINTER_ATTRIBUTE_IS_MANAGED = 8;

    /** The device of the address, an {@code int}. */
    public static final int CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL = 9;

    /** Base of the allocation, 8 bytes. */
    public static final int CU_POINTER_ATTRIBUTE_RANGE_START_ADDR = 11;

    /** Size of the allocation, 8 bytes. */
    public static final int CU_POINTER_ATTRIBUTE_RANGE_SIZE = 12;

    /** Whether {@code cudaIpcGetMemHandle} works on the address, one byte. */
    public static final int CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE = 10;

    /** Handle types the allocation can be exported as, 8 bytes. */
    public static final int CU_POINTER_ATTRIBUTE_ALLOWED_HANDLE_TYPES = 14;

    private LibCuda() {}

    /**
     * Loads the library, once; {@link #cuInit} is still to be called.
     *
     * @throws LibraryNotFoundException where none is found
     */
    public static void load() {
        NativeLibrary.CUDA.load();
    }

    // CUresult cuInit(unsigned int flags)
    private static final class cuInit {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuInit.class, FUNC);
    }

    /**
     * Initializes the driver; the first call of every process.
     *
     * @param flags flags; 0 for none
     * @return the status, a {@code CUresult} value
     */
    public static int cuInit(int flags) {
        try {
            return (int) cuInit.MH.invokeExact(flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuDriverGetVersion(int *driverVersion)
    private static final class cuDriverGetVersion {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuDriverGetVersion.class, FUNC);
    }

    /**
     * Reads the newest CUDA version the driver supports, 1000 * major + 10 * minor.
     *
     * @param driverVersion receives the version, an {@code int}
     * @return the status, a {@code CUresult} value
     */
    public static int cuDriverGetVersion(MemorySegment driverVersion) {
        try {
            return (int) cuDriverGetVersion.MH.invokeExact(driverVersion);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuDeviceGetCount(int *count)
    private static final class cuDeviceGetCount {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuDeviceGetCount.class, FUNC);
    }

    /**
     * Counts the devices this process may use.
     *
     * @param count receives the number, an {@code int}
     * @return the status, a {@code CUresult} value
     */
    public static int cuDeviceGetCount(MemorySegment count) {
        try {
            return (int) cuDeviceGetCount.MH.invokeExact(count);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuDeviceGet(CUdevice *device, int ordinal)
    private static final class cuDeviceGet {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuDeviceGet.class, FUNC);
    }

    /**
     * Reads a device's handle.
     *
     * @param deviceOut receives the device handle, an {@code int}
     * @param ordinal number of the device, from 0
     * @return the status, a {@code CUresult} value
     */
    public static int cuDeviceGet(MemorySegment deviceOut, int ordinal) {
        try {
            return (int) cuDeviceGet.MH.invokeExact(deviceOut, ordinal);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice dev)
    private static final class cuDeviceGetUuid_v2 {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuDeviceGetUuid_v2.class, FUNC);
    }

    /**
     * Reads a device's UUID; of a MIG instance, the instance's own.
     *
     * @param uuid receives 16 bytes
     * @param dev device handle
     * @return the status, a {@code CUresult} value
     */
    public static int cuDeviceGetUuid_v2(MemorySegment uuid, int dev) {
        try {
            return (int) cuDeviceGetUuid_v2.MH.invokeExact(uuid, dev);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuDeviceGetName(char *name, int len, CUdevice dev)
    private static final class cuDeviceGetName {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuDeviceGetName.class, FUNC);
    }

    /**
     * Writes a device's name as a C string.
     *
     * @param name receives the name
     * @param len length of the buffer, bytes
     * @param dev device handle
     * @return the status, a {@code CUresult} value
     */
    public static int cuDeviceGetName(MemorySegment name, int len, int dev) {
        try {
            return (int) cuDeviceGetName.MH.invokeExact(name, len, dev);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attrib, CUdevice dev)
    private static final class cuDeviceGetAttribute {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuDeviceGetAttribute.class, FUNC);
    }

    /**
     * Reads one attribute of a device.
     *
     * @param value receives the attribute, an {@code int}
     * @param attrib a {@code CU_DEVICE_ATTRIBUTE} constant
     * @param dev device handle
     * @return the status, a {@code CUresult} value
     */
    public static int cuDeviceGetAttribute(MemorySegment value, int attrib, int dev) {
        try {
            return (int) cuDeviceGetAttribute.MH.invokeExact(value, attrib, dev);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuDevicePrimaryCtxRetain(CUcontext *ctx, CUdevice dev)
    private static final class cuDevicePrimaryCtxRetain {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuDevicePrimaryCtxRetain.class, FUNC);
    }

    /**
     * Retains the device's primary context, the one the runtime library uses; does not make it current.
     *
     * @param ctxOut receives the context handle, 8 bytes
     * @param dev device handle
     * @return the status, a {@code CUresult} value
     */
    public static int cuDevicePrimaryCtxRetain(MemorySegment ctxOut, int dev) {
        try {
            return (int) cuDevicePrimaryCtxRetain.MH.invokeExact(ctxOut, dev);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuDevicePrimaryCtxRelease_v2(CUdevice dev)
    private static final class cuDevicePrimaryCtxRelease_v2 {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuDevicePrimaryCtxRelease_v2.class, FUNC);
    }

    /**
     * Gives the primary context back.
     *
     * @param dev device handle
     * @return the status, a {@code CUresult} value
     */
    public static int cuDevicePrimaryCtxRelease_v2(int dev) {
        try {
            return (int) cuDevicePrimaryCtxRelease_v2.MH.invokeExact(dev);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuCtxGetCurrent(CUcontext *ctx)
    private static final class cuCtxGetCurrent {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuCtxGetCurrent.class, FUNC);
    }

    /**
     * Reads the calling thread's context; 0 for none.
     *
     * @param ctxOut receives the context handle, 8 bytes
     * @return the status, a {@code CUresult} value
     */
    public static int cuCtxGetCurrent(MemorySegment ctxOut) {
        try {
            return (int) cuCtxGetCurrent.MH.invokeExact(ctxOut);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuCtxSetCurrent(CUcontext ctx)
    private static final class cuCtxSetCurrent {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuCtxSetCurrent.class, FUNC);
    }

    /**
     * Makes a context current on the calling thread.
     *
     * @param ctx context handle; 0 for none
     * @return the status, a {@code CUresult} value
     */
    public static int cuCtxSetCurrent(long ctx) {
        try {
            return (int) cuCtxSetCurrent.MH.invokeExact(ctx);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuCtxGetDevice(CUdevice *device)
    private static final class cuCtxGetDevice {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuCtxGetDevice.class, FUNC);
    }

    /**
     * Reads the device of the calling thread's context.
     *
     * @param deviceOut receives the device handle, an {@code int}
     * @return the status, a {@code CUresult} value
     */
    public static int cuCtxGetDevice(MemorySegment deviceOut) {
        try {
            return (int) cuCtxGetDevice.MH.invokeExact(deviceOut);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuCtxSynchronize(void)
    private static final class cuCtxSynchronize {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuCtxSynchronize.class, FUNC);
    }

    /**
     * Waits for all work of the current context.
     *
     * @return the status, a {@code CUresult} value
     */
    public static int cuCtxSynchronize() {
        try {
            return (int) cuCtxSynchronize.MH.invokeExact();
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuDeviceCanAccessPeer(int *canAccessPeer, CUdevice dev, CUdevice peerDev)
    private static final class cuDeviceCanAccessPeer {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuDeviceCanAccessPeer.class, FUNC);
    }

    /**
     * Tells whether a device can reach the memory of another.
     *
     * @param canAccessPeer receives 1 if it can, else 0; 4 bytes
     * @param dev the one that reaches
     * @param peerDev the one whose memory it is
     * @return the status, a {@code CUresult} value
     */
    public static int cuDeviceCanAccessPeer(MemorySegment canAccessPeer, int dev, int peerDev) {
        try {
            return (int) cuDeviceCanAccessPeer.MH.invokeExact(canAccessPeer, dev, peerDev);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuStreamGetCtx(CUstream hStream, CUcontext *pctx)
    private static final class cuStreamGetCtx {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuStreamGetCtx.class, FUNC);
    }

    /**
     * Reads the context a stream was made in; of the default streams, the calling thread's.
     *
     * @param stream stream handle; what is none is undefined behaviour
     * @param pctx receives the context handle, 8 bytes
     * @return the status, a {@code CUresult} value
     */
    public static int cuStreamGetCtx(long stream, MemorySegment pctx) {
        try {
            return (int) cuStreamGetCtx.MH.invokeExact(stream, pctx);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuStreamCreate(CUstream *phStream, unsigned int Flags)
    private static final class cuStreamCreate {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuStreamCreate.class, FUNC);
    }

    /**
     * Makes a stream in the current context.
     *
     * @param phStream receives the stream handle, 8 bytes
     * @param flags {@link #CU_STREAM_DEFAULT} or {@link #CU_STREAM_NON_BLOCKING}
     * @return the status, a {@code CUresult} value
     */
    public static int cuStreamCreate(MemorySegment phStream, int flags) {
        try {
            return (int) cuStreamCreate.MH.invokeExact(phStream, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuStreamDestroy_v2(CUstream hStream)
    private static final class cuStreamDestroy_v2 {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuStreamDestroy_v2.class, FUNC);
    }

    /**
     * Destroys a stream once its work is done; does not wait for it.
     *
     * @param stream stream handle
     * @return the status, a {@code CUresult} value
     */
    public static int cuStreamDestroy_v2(long stream) {
        try {
            return (int) cuStreamDestroy_v2.MH.invokeExact(stream);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuStreamSynchronize(CUstream hStream)
    private static final class cuStreamSynchronize {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuStreamSynchronize.class, FUNC);
    }

    /**
     * Waits for all work of a stream.
     *
     * @param stream stream handle; 0 is the default stream
     * @return the status, a {@code CUresult} value
     */
    public static int cuStreamSynchronize(long stream) {
        try {
            return (int) cuStreamSynchronize.MH.invokeExact(stream);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuStreamQuery(CUstream hStream)
    private static final class cuStreamQuery {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuStreamQuery.class, FUNC);
    }

    /**
     * Tells whether all work of a stream is done.
     *
     * @param stream stream handle; 0 is the default stream
     * @return the status, a {@code CUresult} value: {@link #CUDA_ERROR_NOT_READY} if not
     */
    public static int cuStreamQuery(long stream) {
        try {
            return (int) cuStreamQuery.MH.invokeExact(stream);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode)
    private static final class cuThreadExchangeStreamCaptureMode {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuThreadExchangeStreamCaptureMode.class, FUNC);
    }

    /**
     * Changes what this thread may call while a stream is being captured.
     *
     * @param mode holds the mode to take, as {@link #CU_STREAM_CAPTURE_MODE_RELAXED}, and receives the mode before, 4 bytes
     * @return the status, a {@code CUresult} value
     */
    public static int cuThreadExchangeStreamCaptureMode(MemorySegment mode) {
        try {
            return (int) cuThreadExchangeStreamCaptureMode.MH.invokeExact(mode);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuStreamWaitEvent(CUstream hStream, CUevent hEvent, unsigned int Flags)
    private static final class cuStreamWaitEvent {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuStreamWaitEvent.class, FUNC);
    }

    /**
     * Makes later work of a stream wait for what an event stands for now.
     *
     * @param stream stream handle; 0 is the default stream
     * @param event event handle
     * @param flags 0
     * @return the status, a {@code CUresult} value
     */
    public static int cuStreamWaitEvent(long stream, long event, int flags) {
        try {
            return (int) cuStreamWaitEvent.MH.invokeExact(stream, event, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuEventCreate(CUevent *phEvent, unsigned int Flags)
    private static final class cuEventCreate {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuEventCreate.class, FUNC);
    }

    /**
     * Makes an event in the current context.
     *
     * @param phEvent receives the event handle, 8 bytes
     * @param flags {@link #CU_EVENT_DISABLE_TIMING}, or 0
     * @return the status, a {@code CUresult} value
     */
    public static int cuEventCreate(MemorySegment phEvent, int flags) {
        try {
            return (int) cuEventCreate.MH.invokeExact(phEvent, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuEventRecord(CUevent hEvent, CUstream hStream)
    private static final class cuEventRecord {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuEventRecord.class, FUNC);
    }

    /**
     * Has an event stand for the work queued on a stream so far.
     *
     * @param event event handle
     * @param stream stream handle; 0 is the default stream
     * @return the status, a {@code CUresult} value
     */
    public static int cuEventRecord(long event, long stream) {
        try {
            return (int) cuEventRecord.MH.invokeExact(event, stream);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuEventQuery(CUevent hEvent)
    private static final class cuEventQuery {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuEventQuery.class, FUNC);
    }

    /**
     * Looks whether the work that an event stands for is done.
     *
     * @param event event handle; one that was never recorded stands for nothing, which is done
     * @return the status, a {@code CUresult} value; {@link #CUDA_ERROR_NOT_READY} if it is not
     */
    public static int cuEventQuery(long event) {
        try {
            return (int) cuEventQuery.MH.invokeExact(event);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuEventDestroy_v2(CUevent hEvent)
    private static final class cuEventDestroy_v2 {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuEventDestroy_v2.class, FUNC);
    }

    /**
     * Destroys an event.
     *
     * @param event event handle
     * @return the status, a {@code CUresult} value
     */
    public static int cuEventDestroy_v2(long event) {
        try {
            return (int) cuEventDestroy_v2.MH.invokeExact(event);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuStreamWriteValue32_v2(CUstream stream, CUdeviceptr addr, cuuint32_t value, unsigned int flags)
    private static final class cuStreamWriteValue32_v2 {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuStreamWriteValue32_v2.class, FUNC);
    }

    /**
     * Writes a 32-bit value to memory in stream order, after the stream's earlier writes.
     *
     * @param stream stream handle; 0 is the default stream
     * @param addr device address, aligned to the value's size
     * @param value the value
     * @param flags flags; 0 for none
     * @return the status, a {@code CUresult} value
     */
    public static int cuStreamWriteValue32_v2(long stream, long addr, int value, int flags) {
        try {
            return (int) cuStreamWriteValue32_v2.MH.invokeExact(stream, addr, value, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuStreamWriteValue64_v2(CUstream stream, CUdeviceptr addr, cuuint64_t value, unsigned int flags)
    private static final class cuStreamWriteValue64_v2 {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuStreamWriteValue64_v2.class, FUNC);
    }

    /**
     * Writes a 64-bit value to memory in stream order, after the stream's earlier writes.
     *
     * @param stream stream handle; 0 is the default stream
     * @param addr device address, aligned to the value's size
     * @param value the value
     * @param flags flags; 0 for none
     * @return the status, a {@code CUresult} value
     */
    public static int cuStreamWriteValue64_v2(long stream, long addr, long value, int flags) {
        try {
            return (int) cuStreamWriteValue64_v2.MH.invokeExact(stream, addr, value, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuStreamWaitValue64_v2(CUstream stream, CUdeviceptr addr, cuuint64_t value, unsigned int flags)
    private static final class cuStreamWaitValue64_v2 {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuStreamWaitValue64_v2.class, FUNC);
    }

    /**
     * Makes later work of a stream wait until a 64-bit word in memory compares as asked.
     *
     * @param stream stream handle; 0 is the default stream
     * @param addr device address, aligned to the value's size
     * @param value the value
     * @param flags flags; 0 for none
     * @return the status, a {@code CUresult} value
     */
    public static int cuStreamWaitValue64_v2(long stream, long addr, long value, int flags) {
        try {
            return (int) cuStreamWaitValue64_v2.MH.invokeExact(stream, addr, value, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemHostRegister_v2(void *p, size_t bytesize, unsigned int Flags)
    private static final class cuMemHostRegister_v2 {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemHostRegister_v2.class, FUNC);
    }

    /**
     * Locks host memory into place, so that devices can reach it.
     *
     * @param p first byte, at the start of a page
     * @param bytesize bytes, whole pages
     * @param flags {@link #CU_MEMHOSTREGISTER_DEVICEMAP}
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemHostRegister_v2(MemorySegment p, long bytesize, int flags) {
        try {
            return (int) cuMemHostRegister_v2.MH.invokeExact(p, bytesize, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemHostUnregister(void *p)
    private static final class cuMemHostUnregister {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemHostUnregister.class, FUNC);
    }

    /**
     * Undoes {@link #cuMemHostRegister_v2}.
     *
     * @param p first byte
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemHostUnregister(MemorySegment p) {
        try {
            return (int) cuMemHostUnregister.MH.invokeExact(p);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr *pdptr, void *p, unsigned int Flags)
    private static final class cuMemHostGetDevicePointer_v2 {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemHostGetDevicePointer_v2.class, FUNC);
    }

    /**
     * Reads where the current device sees registered host memory.
     *
     * @param pdptr receives the device address, 8 bytes
     * @param p an address in it
     * @param flags 0
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemHostGetDevicePointer_v2(MemorySegment pdptr, MemorySegment p, int flags) {
        try {
            return (int) cuMemHostGetDevicePointer_v2.MH.invokeExact(pdptr, p, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemcpyDtoHAsync_v2(void *dstHost, CUdeviceptr srcDevice, size_t ByteCount, CUstream hStream)
    private static final class cuMemcpyDtoHAsync_v2 {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemcpyDtoHAsync_v2.class, FUNC);
    }

    /**
     * Copies device memory to host memory, in stream order.
     *
     * @param dstHost address of the target
     * @param srcDevice address of the source
     * @param byteCount bytes
     * @param stream stream handle; 0 is the default stream
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemcpyDtoHAsync_v2(long dstHost, long srcDevice, long byteCount, long stream) {
        try {
            return (int) cuMemcpyDtoHAsync_v2.MH.invokeExact(dstHost, srcDevice, byteCount, stream);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *pCopy, CUstream hStream)
    private static final class cuMemcpy2DAsync_v2 {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemcpy2DAsync_v2.class, FUNC);
    }

    /**
     * Copies rows between host and device memory, in stream order.
     *
     * @param pCopy what to copy, a {@link CudaMemcpy2D}; read before this returns
     * @param stream stream handle; 0 is the default stream
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemcpy2DAsync_v2(MemorySegment pCopy, long stream) {
        try {
            return (int) cuMemcpy2DAsync_v2.MH.invokeExact(pCopy, stream);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemsetD8_v2(CUdeviceptr dstDevice, unsigned char uc, size_t N)
    private static final class cuMemsetD8_v2 {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemsetD8_v2.class, FUNC);
    }

    /**
     * Fills device memory with a byte, on the default stream; does not wait.
     *
     * @param dstDevice first byte
     * @param uc the byte; higher bits must be 0
     * @param n bytes
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemsetD8_v2(long dstDevice, int uc, long n) {
        try {
            return (int) cuMemsetD8_v2.MH.invokeExact(dstDevice, uc, n);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemCreate(CUmemGenericAllocationHandle *handle, size_t size, const CUmemAllocationProp *prop, unsigned
    // long long flags)
    private static final class cuMemCreate {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemCreate.class, FUNC);
    }

    /**
     * Allocates physical memory described by a {@link CUmemAllocationProp}.
     *
     * @param handleOut receives the handle, 8 bytes
     * @param size bytes
     * @param prop a {@link CUmemAllocationProp}
     * @param flags flags; 0 for none
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemCreate(MemorySegment handleOut, long size, MemorySegment prop, long flags) {
        try {
            return (int) cuMemCreate.MH.invokeExact(handleOut, size, prop, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemRelease(CUmemGenericAllocationHandle handle)
    private static final class cuMemRelease {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemRelease.class, FUNC);
    }

    /**
     * Releases physical memory; it is freed once its last mapping and its last descriptor are gone.
     *
     * @param handle the handle
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemRelease(long handle) {
        try {
            return (int) cuMemRelease.MH.invokeExact(handle);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemAddressReserve(CUdeviceptr *ptr, size_t size, size_t alignment, CUdeviceptr hint, unsigned long
    // long flags)
    private static final class cuMemAddressReserve {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemAddressReserve.class, FUNC);
    }

    /**
     * Reserves a range of device addresses.
     *
     * @param ptrOut receives the address, 8 bytes
     * @param size bytes
     * @param alignment alignment, bytes; 0 for the default
     * @param hint address wished for; 0 for any
     * @param flags flags; 0 for none
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemAddressReserve(MemorySegment ptrOut, long size, long alignment, long hint, long flags) {
        try {
            return (int) cuMemAddressReserve.MH.invokeExact(ptrOut, size, alignment, hint, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemAddressFree(CUdeviceptr ptr, size_t size)
    private static final class cuMemAddressFree {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemAddressFree.class, FUNC);
    }

    /**
     * Gives a range of device addresses back.
     *
     * @param ptr device address
     * @param size bytes
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemAddressFree(long ptr, long size) {
        try {
            return (int) cuMemAddressFree.MH.invokeExact(ptr, size);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemMap(CUdeviceptr ptr, size_t size, size_t offset, CUmemGenericAllocationHandle handle, unsigned long
    // long flags)
    private static final class cuMemMap {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemMap.class, FUNC);
    }

    /**
     * Maps physical memory at a reserved range; {@link #cuMemSetAccess} must follow.
     *
     * @param ptr device address
     * @param size bytes
     * @param offset offset in the physical memory, bytes
     * @param handle the handle
     * @param flags flags; 0 for none
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemMap(long ptr, long size, long offset, long handle, long flags) {
        try {
            return (int) cuMemMap.MH.invokeExact(ptr, size, offset, handle, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemUnmap(CUdeviceptr ptr, size_t size)
    private static final class cuMemUnmap {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemUnmap.class, FUNC);
    }

    /**
     * Unmaps a range.
     *
     * @param ptr device address
     * @param size bytes
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemUnmap(long ptr, long size) {
        try {
            return (int) cuMemUnmap.MH.invokeExact(ptr, size);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemSetAccess(CUdeviceptr ptr, size_t size, const CUmemAccessDesc *desc, size_t descs)
    private static final class cuMemSetAccess {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemSetAccess.class, FUNC);
    }

    /**
     * Sets which devices may read or write a mapped range, by an array of {@link CUmemAccessDesc}.
     *
     * @param ptr device address
     * @param size bytes
     * @param desc the array
     * @param descs its elements
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemSetAccess(long ptr, long size, MemorySegment desc, long descs) {
        try {
            return (int) cuMemSetAccess.MH.invokeExact(ptr, size, desc, descs);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemExportToShareableHandle(void *shareableHandle, CUmemGenericAllocationHandle handle,
    // CUmemAllocationHandleType handleType, unsigned long long flags)
    private static final class cuMemExportToShareableHandle {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemExportToShareableHandle.class, FUNC);
    }

    /**
     * Exports physical memory; as a POSIX descriptor, an {@code int} that the caller closes.
     *
     * @param shareableHandle receives the exported handle
     * @param handle the handle
     * @param handleType a {@code CU_MEM_HANDLE_TYPE} constant
     * @param flags flags; 0 for none
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemExportToShareableHandle(
            MemorySegment shareableHandle, long handle, int handleType, long flags) {
        try {
            return (int) cuMemExportToShareableHandle.MH.invokeExact(shareableHandle, handle, handleType, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemImportFromShareableHandle(CUmemGenericAllocationHandle *handle, void *osHandle,
    // CUmemAllocationHandleType shHandleType)
    private static final class cuMemImportFromShareableHandle {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemImportFromShareableHandle.class, FUNC);
    }

    /**
     * Imports physical memory; a POSIX descriptor stays the caller's to close.
     *
     * @param handleOut receives the handle, 8 bytes
     * @param osHandle the descriptor
     * @param shHandleType a {@code CU_MEM_HANDLE_TYPE} constant
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemImportFromShareableHandle(MemorySegment handleOut, long osHandle, int shHandleType) {
        try {
            return (int) cuMemImportFromShareableHandle.MH.invokeExact(handleOut, osHandle, shHandleType);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemGetAllocationGranularity(size_t *granularity, const CUmemAllocationProp *prop,
    // CUmemAllocationGranularity_flags option)
    private static final class cuMemGetAllocationGranularity {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemGetAllocationGranularity.class, FUNC);
    }

    /**
     * Reads the granularity that sizes and addresses of an allocation must keep to.
     *
     * @param granularity receives the bytes, a {@code long}
     * @param prop a {@link CUmemAllocationProp}
     * @param option a {@code CU_MEM_ALLOC_GRANULARITY} constant
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemGetAllocationGranularity(MemorySegment granularity, MemorySegment prop, int option) {
        try {
            return (int) cuMemGetAllocationGranularity.MH.invokeExact(granularity, prop, option);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemGetInfo_v2(size_t *free, size_t *total)
    private static final class cuMemGetInfo_v2 {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemGetInfo_v2.class, FUNC);
    }

    /**
     * Reads how much memory the current context's device has.
     *
     * @param free receives the bytes that are free, 8 bytes
     * @param total receives the bytes there are, 8 bytes
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemGetInfo_v2(MemorySegment free, MemorySegment total) {
        try {
            return (int) cuMemGetInfo_v2.MH.invokeExact(free, total);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuMemGetAddressRange_v2(CUdeviceptr *pbase, size_t *psize, CUdeviceptr ptr)
    private static final class cuMemGetAddressRange_v2 {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuMemGetAddressRange_v2.class, FUNC);
    }

    /**
     * Reads base and size of the allocation that holds an address.
     *
     * @param pbase receives the base address, 8 bytes
     * @param psize receives the size, 8 bytes
     * @param ptr device address
     * @return the status, a {@code CUresult} value
     */
    public static int cuMemGetAddressRange_v2(MemorySegment pbase, MemorySegment psize, long ptr) {
        try {
            return (int) cuMemGetAddressRange_v2.MH.invokeExact(pbase, psize, ptr);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuPointerGetAttribute(void *data, CUpointer_attribute attribute, CUdeviceptr ptr)
    private static final class cuPointerGetAttribute {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuPointerGetAttribute.class, FUNC);
    }

    /**
     * Reads one attribute of an address.
     *
     * @param data receives the attribute
     * @param attribute a {@code CU_POINTER_ATTRIBUTE} constant
     * @param ptr device address
     * @return the status, a {@code CUresult} value
     */
    public static int cuPointerGetAttribute(MemorySegment data, int attribute, long ptr) {
        try {
            return (int) cuPointerGetAttribute.MH.invokeExact(data, attribute, ptr);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuGetErrorName(CUresult error, const char **pStr)
    private static final class cuGetErrorName {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuGetErrorName.class, FUNC);
    }

    /**
     * The name of a result code.
     *
     * @param error the code
     * @return the name or text, or the number where the library knows none
     */
    public static String cuGetErrorName(int error) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pStr = arena.allocate(ADDRESS);
            int status = (int) cuGetErrorName.MH.invokeExact(error, pStr);
            return status == CUDA_SUCCESS ? Binding.string(pStr.get(ADDRESS, 0)) : Integer.toString(error);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // CUresult cuGetErrorString(CUresult error, const char **pStr)
    private static final class cuGetErrorString {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDA.link(cuGetErrorString.class, FUNC);
    }

    /**
     * The text of a result code.
     *
     * @param error the code
     * @return the name or text, or the number where the library knows none
     */
    public static String cuGetErrorString(int error) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pStr = arena.allocate(ADDRESS);
            int status = (int) cuGetErrorString.MH.invokeExact(error, pStr);
            return status == CUDA_SUCCESS ? Binding.string(pStr.get(ADDRESS, 0)) : Integer.toString(error);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }
}
