// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;

/**
 * The functions and constants of libcudart, the CUDA runtime, under their C names, as {@code cuda_runtime_api.h} and
 * {@code driver_types.h} declare them.
 *
 * <p>Status codes are returned, not checked. Device addresses, streams and events are {@code long}; out-parameters and
 * other host memory are segments; copies take {@code long} addresses, so that either side may be device or host. The
 * current device is per thread. Each function is linked at its first call; {@link #load()} before that gives a missing
 * library its own exception.
 */
@SuppressWarnings("MemberName") // C names
public final class LibCudart {
    // cudaIpcMemHandle_t and cudaIpcEventHandle_t: struct { char reserved[CUDA_IPC_HANDLE_SIZE]; }
    private static final StructLayout IPC_HANDLE =
            MemoryLayout.structLayout(MemoryLayout.sequenceLayout(64, JAVA_BYTE));

    /** No error. */
    public static final int cudaSuccess = 0;

    /** An argument is out of range. */
    public static final int cudaErrorInvalidValue = 1;

    /** Out of device memory. */
    public static final int cudaErrorMemoryAllocation = 2;

    /** The driver and the runtime could not be initialized. */
    public static final int cudaErrorInitializationError = 3;

    /** The runtime is being unloaded: the process is exiting. */
    public static final int cudaErrorCudartUnloading = 4;

    /** The libcuda that was loaded is a stub for linking. */
    public static final int cudaErrorStubLibrary = 34;

    /** No driver, or one older than the runtime needs. */
    public static final int cudaErrorInsufficientDriver = 35;

    /** All devices are busy or in exclusive mode. */
    public static final int cudaErrorDevicesUnavailable = 46;

    /** There is a driver, but no device that this process may use. */
    public static final int cudaErrorNoDevice = 100;

    /** No such ordinal. */
    public static final int cudaErrorInvalidDevice = 101;

    /** The calling thread has no valid context. */
    public static final int cudaErrorDeviceUninitialized = 201;

    /** Mapping failed; for IPC handles, the processes do not share what the handle needs. */
    public static final int cudaErrorMapBufferObjectFailed = 205;

    /** The resource is mapped already. */
    public static final int cudaErrorAlreadyMapped = 208;

    /** An uncorrectable memory error of the device. */
    public static final int cudaErrorECCUncorrectable = 214;

    /** These two devices cannot reach each other's memory. */
    public static final int cudaErrorPeerAccessUnsupported = 217;

    /** A call to the operating system failed. */
    public static final int cudaErrorOperatingSystem = 304;

    /** A stream, event or IPC handle that is not valid here. */
    public static final int cudaErrorInvalidResourceHandle = 400;

    /** The work asked about is not done yet; not a failure. */
    public static final int cudaErrorNotReady = 600;

    /** A kernel or copy touched memory it may not; the context is lost. */
    public static final int cudaErrorIllegalAddress = 700;

    /** The host memory is registered already. */
    public static final int cudaErrorHostMemoryAlreadyRegistered = 712;

    /** The host memory is not registered. */
    public static final int cudaErrorHostMemoryNotRegistered = 713;

    /** A kernel failed; the context is lost. */
    public static final int cudaErrorLaunchFailure = 719;

    /** The operation is not permitted. */
    public static final int cudaErrorNotPermitted = 800;

    /** The operation is not supported on this system or device. */
    public static final int cudaErrorNotSupported = 801;

    /** Kernel driver and libcuda are of different versions. */
    public static final int cudaErrorSystemDriverMismatch = 803;

    /** The forward compatibility package does not support this device. */
    public static final int cudaErrorCompatNotSupportedOnDevice = 804;

    /** The MPS server could not be reached. */
    public static final int cudaErrorMpsConnectionFailed = 805;

    /** An error of no other kind. */
    public static final int cudaErrorUnknown = 999;

    /** Copy from host to host. */
    public static final int cudaMemcpyHostToHost = 0;

    /** Copy from host to device. */
    public static final int cudaMemcpyHostToDevice = 1;

    /** Copy from device to host. */
    public static final int cudaMemcpyDeviceToHost = 2;

    /** Copy from device to device. */
    public static final int cudaMemcpyDeviceToDevice = 3;

    /** Direction inferred from the addresses. */
    public static final int cudaMemcpyDefault = 4;

    /** A stream that synchronizes with the default stream. */
    public static final int cudaStreamDefault = 0;

    /** A stream that does not synchronize with the default stream. */
    public static final int cudaStreamNonBlocking = 1;

    /** An event with timing, waited for by spinning. */
    public static final int cudaEventDefault = 0;

    /** Waiting for the event blocks the thread instead of spinning. */
    public static final int cudaEventBlockingSync = 1;

    /** The event records no time and is cheaper. */
    public static final int cudaEventDisableTiming = 2;

    /** The event can be exported; needs {@link #cudaEventDisableTiming}. */
    public static final int cudaEventInterprocess = 4;

    /** Default flag of {@link #cudaStreamWaitEvent}. */
    public static final int cudaEventWaitDefault = 0;

    /** Default flag of {@link #cudaHostRegister}. */
    public static final int cudaHostRegisterDefault = 0;

    /** The memory counts as page-locked for every context. */
    public static final int cudaHostRegisterPortable = 1;

    /** The memory is mapped into the device's address space. */
    public static final int cudaHostRegisterMapped = 2;

    /** The device only reads the memory. */
    public static final int cudaHostRegisterReadOnly = 8;

    /** Default flag of {@link #cudaHostAlloc}. */
    public static final int cudaHostAllocDefault = 0;

    /** The memory counts as page-locked for every context. */
    public static final int cudaHostAllocPortable = 1;

    /** The memory is mapped into the device's address space. */
    public static final int cudaHostAllocMapped = 2;

    /** Write-combined memory: slow for the host to read. */
    public static final int cudaHostAllocWriteCombined = 4;

    /** Enables peer access where the handle is of another device. */
    public static final int cudaIpcMemLazyEnablePeerAccess = 1;

    /** Host memory that CUDA does not know. */
    public static final int cudaMemoryTypeUnregistered = 0;

    /** Page-locked host memory. */
    public static final int cudaMemoryTypeHost = 1;

    /** Device memory. */
    public static final int cudaMemoryTypeDevice = 2;

    /** Managed memory. */
    public static final int cudaMemoryTypeManaged = 3;

    /** PCI bus number. */
    public static final int cudaDevAttrPciBusId = 33;

    /** PCI device number. */
    public static final int cudaDevAttrPciDeviceId = 34;

    /** PCI domain number. */
    public static final int cudaDevAttrPciDomainId = 50;

    /** 1 where device and host share their memory. */
    public static final int cudaDevAttrIntegrated = 18;

    /** 1 where the device can map host memory. */
    public static final int cudaDevAttrCanMapHostMemory = 19;

    /** Compute mode, a {@code cudaComputeMode} value. */
    public static final int cudaDevAttrComputeMode = 20;

    /** 1 where device and host share one address space. */
    public static final int cudaDevAttrUnifiedAddressing = 41;

    /** Major number of the compute capability. */
    public static final int cudaDevAttrComputeCapabilityMajor = 75;

    /** Minor number of the compute capability. */
    public static final int cudaDevAttrComputeCapabilityMinor = 76;

    /** 1 where registered host memory has the same address on the device. */
    public static final int cudaDevAttrCanUseHostPointerForRegisteredMem = 91;

    /** 1 where events can be exported; capability flags are unreliable on WSL2. */
    public static final int cudaDevAttrIpcEventSupport = 125;

    /** Bytes of an IPC handle. */
    public static final int CUDA_IPC_HANDLE_SIZE = 64;

    private LibCudart() {}

    /**
     * Loads the library, once.
     *
     * @throws LibraryNotFoundException where none is found
     */
    public static void load() {
        NativeLibrary.CUDART.load();
    }

    // cudaError_t cudaGetDeviceCount(int *count)
    private static final class cudaGetDeviceCount {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaGetDeviceCount.class, FUNC);
    }

    /**
     * Counts the devices this process may use.
     *
     * @param count receives the number, an {@code int}
     * @return the status, a {@code cudaError} value
     */
    public static int cudaGetDeviceCount(MemorySegment count) {
        try {
            return (int) cudaGetDeviceCount.MH.invokeExact(count);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaGetDevice(int *device)
    private static final class cudaGetDevice {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaGetDevice.class, FUNC);
    }

    /**
     * Reads the calling thread's current device.
     *
     * @param device receives the ordinal, an {@code int}
     * @return the status, a {@code cudaError} value
     */
    public static int cudaGetDevice(MemorySegment device) {
        try {
            return (int) cudaGetDevice.MH.invokeExact(device);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaSetDevice(int device)
    private static final class cudaSetDevice {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaSetDevice.class, FUNC);
    }

    /**
     * Makes a device current on the calling thread.
     *
     * @param device ordinal of the device
     * @return the status, a {@code cudaError} value
     */
    public static int cudaSetDevice(int device) {
        try {
            return (int) cudaSetDevice.MH.invokeExact(device);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attr, int device)
    private static final class cudaDeviceGetAttribute {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaDeviceGetAttribute.class, FUNC);
    }

    /**
     * Reads one attribute of a device.
     *
     * @param value receives the attribute, an {@code int}
     * @param attr a {@code cudaDevAttr} constant
     * @param device ordinal of the device
     * @return the status, a {@code cudaError} value
     */
    public static int cudaDeviceGetAttribute(MemorySegment value, int attr, int device) {
        try {
            return (int) cudaDeviceGetAttribute.MH.invokeExact(value, attr, device);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *prop, int device)
    private static final class cudaGetDeviceProperties {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH =
                NativeLibrary.CUDART.link(List.of("cudaGetDeviceProperties_v2", "cudaGetDeviceProperties"), FUNC);
    }

    /**
     * Fills a {@link CudaDeviceProp}. CUDA 12 exports this as {@code cudaGetDeviceProperties_v2}, which is taken
     * where it exists.
     *
     * @param prop at least {@link CudaDeviceProp#BUFFER_LENGTH} bytes
     * @param device ordinal of the device
     * @return the status, a {@code cudaError} value
     */
    public static int cudaGetDeviceProperties(MemorySegment prop, int device) {
        try {
            return (int) cudaGetDeviceProperties.MH.invokeExact(prop, device);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaDeviceGetPCIBusId(char *pciBusId, int len, int device)
    private static final class cudaDeviceGetPCIBusId {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaDeviceGetPCIBusId.class, FUNC);
    }

    /**
     * Writes a device's PCI address, {@code domain:bus:device.function}, as a C string.
     *
     * @param pciBusId receives the address; 13 bytes are enough
     * @param len length of the buffer, bytes
     * @param device ordinal of the device
     * @return the status, a {@code cudaError} value
     */
    public static int cudaDeviceGetPCIBusId(MemorySegment pciBusId, int len, int device) {
        try {
            return (int) cudaDeviceGetPCIBusId.MH.invokeExact(pciBusId, len, device);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaRuntimeGetVersion(int *runtimeVersion)
    private static final class cudaRuntimeGetVersion {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaRuntimeGetVersion.class, FUNC);
    }

    /**
     * Reads the version of this library, 1000 * major + 10 * minor.
     *
     * @param runtimeVersion receives the version, an {@code int}
     * @return the status, a {@code cudaError} value
     */
    public static int cudaRuntimeGetVersion(MemorySegment runtimeVersion) {
        try {
            return (int) cudaRuntimeGetVersion.MH.invokeExact(runtimeVersion);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaDriverGetVersion(int *driverVersion)
    private static final class cudaDriverGetVersion {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaDriverGetVersion.class, FUNC);
    }

    /**
     * Reads the newest CUDA version the driver supports, 1000 * major + 10 * minor; 0 where there is no driver.
     *
     * @param driverVersion receives the version, an {@code int}
     * @return the status, a {@code cudaError} value
     */
    public static int cudaDriverGetVersion(MemorySegment driverVersion) {
        try {
            return (int) cudaDriverGetVersion.MH.invokeExact(driverVersion);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaMalloc(void **devPtr, size_t size)
    private static final class cudaMalloc {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaMalloc.class, FUNC);
    }

    /**
     * Allocates device memory.
     *
     * @param devPtrOut receives the device address, 8 bytes
     * @param size bytes
     * @return the status, a {@code cudaError} value
     */
    public static int cudaMalloc(MemorySegment devPtrOut, long size) {
        try {
            return (int) cudaMalloc.MH.invokeExact(devPtrOut, size);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaFree(void *devPtr)
    private static final class cudaFree {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaFree.class, FUNC);
    }

    /**
     * Frees device memory; waits for the device.
     *
     * @param devPtr device address
     * @return the status, a {@code cudaError} value
     */
    public static int cudaFree(long devPtr) {
        try {
            return (int) cudaFree.MH.invokeExact(devPtr);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaMemGetInfo(size_t *free, size_t *total)
    private static final class cudaMemGetInfo {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaMemGetInfo.class, FUNC);
    }

    /**
     * Reads the free and total memory of the current device.
     *
     * @param free receives the free bytes, a {@code long}
     * @param total receives all bytes, a {@code long}
     * @return the status, a {@code cudaError} value
     */
    public static int cudaMemGetInfo(MemorySegment free, MemorySegment total) {
        try {
            return (int) cudaMemGetInfo.MH.invokeExact(free, total);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaMemcpy(void *dst, const void *src, size_t count, enum cudaMemcpyKind kind)
    private static final class cudaMemcpy {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaMemcpy.class, FUNC);
    }

    /**
     * Copies bytes.
     *
     * @param dst destination, a device or host address
     * @param src source, a device or host address
     * @param count bytes
     * @param kind a {@code cudaMemcpy} direction; {@link #cudaMemcpyDefault} infers it
     * @return the status, a {@code cudaError} value
     */
    public static int cudaMemcpy(long dst, long src, long count, int kind) {
        try {
            return (int) cudaMemcpy.MH.invokeExact(dst, src, count, kind);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t count, enum cudaMemcpyKind kind, cudaStream_t
    // stream)
    private static final class cudaMemcpyAsync {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaMemcpyAsync.class, FUNC);
    }

    /**
     * Copies bytes in stream order.
     *
     * @param dst destination, a device or host address
     * @param src source, a device or host address
     * @param count bytes
     * @param kind a {@code cudaMemcpy} direction; {@link #cudaMemcpyDefault} infers it
     * @param stream stream handle; 0 is the default stream
     * @return the status, a {@code cudaError} value
     */
    public static int cudaMemcpyAsync(long dst, long src, long count, int kind, long stream) {
        try {
            return (int) cudaMemcpyAsync.MH.invokeExact(dst, src, count, kind, stream);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaMemcpy2D(void *dst, size_t dpitch, const void *src, size_t spitch, size_t width, size_t height,
    // enum cudaMemcpyKind kind)
    private static final class cudaMemcpy2D {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(
                JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaMemcpy2D.class, FUNC);
    }

    /**
     * Copies rows.
     *
     * @param dst destination, a device or host address
     * @param dpitch bytes from row to row of the destination
     * @param src source, a device or host address
     * @param spitch bytes from row to row of the source
     * @param width bytes of one row
     * @param height rows
     * @param kind a {@code cudaMemcpy} direction; {@link #cudaMemcpyDefault} infers it
     * @return the status, a {@code cudaError} value
     */
    public static int cudaMemcpy2D(long dst, long dpitch, long src, long spitch, long width, long height, int kind) {
        try {
            return (int) cudaMemcpy2D.MH.invokeExact(dst, dpitch, src, spitch, width, height, kind);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaMemcpy2DAsync(void *dst, size_t dpitch, const void *src, size_t spitch, size_t width, size_t
    // height, enum cudaMemcpyKind kind, cudaStream_t stream)
    private static final class cudaMemcpy2DAsync {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(
                JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaMemcpy2DAsync.class, FUNC);
    }

    /**
     * Copies rows in stream order.
     *
     * @param dst destination, a device or host address
     * @param dpitch bytes from row to row of the destination
     * @param src source, a device or host address
     * @param spitch bytes from row to row of the source
     * @param width bytes of one row
     * @param height rows
     * @param kind a {@code cudaMemcpy} direction; {@link #cudaMemcpyDefault} infers it
     * @param stream stream handle; 0 is the default stream
     * @return the status, a {@code cudaError} value
     */
    public static int cudaMemcpy2DAsync(
            long dst, long dpitch, long src, long spitch, long width, long height, int kind, long stream) {
        try {
            return (int) cudaMemcpy2DAsync.MH.invokeExact(dst, dpitch, src, spitch, width, height, kind, stream);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaMemset(void *devPtr, int value, size_t count)
    private static final class cudaMemset {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaMemset.class, FUNC);
    }

    /**
     * Sets bytes of device memory.
     *
     * @param devPtr device address
     * @param value the byte
     * @param count bytes
     * @return the status, a {@code cudaError} value
     */
    public static int cudaMemset(long devPtr, int value, long count) {
        try {
            return (int) cudaMemset.MH.invokeExact(devPtr, value, count);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaMemsetAsync(void *devPtr, int value, size_t count, cudaStream_t stream)
    private static final class cudaMemsetAsync {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaMemsetAsync.class, FUNC);
    }

    /**
     * Sets bytes of device memory in stream order.
     *
     * @param devPtr device address
     * @param value the byte
     * @param count bytes
     * @param stream stream handle; 0 is the default stream
     * @return the status, a {@code cudaError} value
     */
    public static int cudaMemsetAsync(long devPtr, int value, long count, long stream) {
        try {
            return (int) cudaMemsetAsync.MH.invokeExact(devPtr, value, count, stream);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaMemset2DAsync(void *devPtr, size_t pitch, int value, size_t width, size_t height, cudaStream_t
    // stream)
    private static final class cudaMemset2DAsync {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaMemset2DAsync.class, FUNC);
    }

    /**
     * Sets rows of device memory in stream order.
     *
     * @param devPtr device address
     * @param pitch bytes from row to row
     * @param value the byte
     * @param width bytes of one row
     * @param height rows
     * @param stream stream handle; 0 is the default stream
     * @return the status, a {@code cudaError} value
     */
    public static int cudaMemset2DAsync(long devPtr, long pitch, int value, long width, long height, long stream) {
        try {
            return (int) cudaMemset2DAsync.MH.invokeExact(devPtr, pitch, value, width, height, stream);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaStreamCreateWithFlags(cudaStream_t *pStream, unsigned int flags)
    private static final class cudaStreamCreateWithFlags {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaStreamCreateWithFlags.class, FUNC);
    }

    /**
     * Creates a stream.
     *
     * @param pStream receives the stream handle, 8 bytes
     * @param flags flags; 0 for none
     * @return the status, a {@code cudaError} value
     */
    public static int cudaStreamCreateWithFlags(MemorySegment pStream, int flags) {
        try {
            return (int) cudaStreamCreateWithFlags.MH.invokeExact(pStream, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaStreamCreateWithPriority(cudaStream_t *pStream, unsigned int flags, int priority)
    private static final class cudaStreamCreateWithPriority {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaStreamCreateWithPriority.class, FUNC);
    }

    /**
     * Creates a stream of a priority; lower numbers go first.
     *
     * @param pStream receives the stream handle, 8 bytes
     * @param flags flags; 0 for none
     * @param priority the priority
     * @return the status, a {@code cudaError} value
     */
    public static int cudaStreamCreateWithPriority(MemorySegment pStream, int flags, int priority) {
        try {
            return (int) cudaStreamCreateWithPriority.MH.invokeExact(pStream, flags, priority);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaStreamDestroy(cudaStream_t stream)
    private static final class cudaStreamDestroy {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaStreamDestroy.class, FUNC);
    }

    /**
     * Destroys a stream once its work is done; returns at once.
     *
     * @param stream stream handle; 0 is the default stream
     * @return the status, a {@code cudaError} value
     */
    public static int cudaStreamDestroy(long stream) {
        try {
            return (int) cudaStreamDestroy.MH.invokeExact(stream);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaStreamSynchronize(cudaStream_t stream)
    private static final class cudaStreamSynchronize {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaStreamSynchronize.class, FUNC);
    }

    /**
     * Blocks until the stream's work is done.
     *
     * @param stream stream handle; 0 is the default stream
     * @return the status, a {@code cudaError} value
     */
    public static int cudaStreamSynchronize(long stream) {
        try {
            return (int) cudaStreamSynchronize.MH.invokeExact(stream);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaStreamQuery(cudaStream_t stream)
    private static final class cudaStreamQuery {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaStreamQuery.class, FUNC);
    }

    /**
     * Asks whether the stream's work is done: {@link #cudaSuccess} or {@link #cudaErrorNotReady}.
     *
     * @param stream stream handle; 0 is the default stream
     * @return the status, a {@code cudaError} value
     */
    public static int cudaStreamQuery(long stream) {
        try {
            return (int) cudaStreamQuery.MH.invokeExact(stream);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int flags)
    private static final class cudaStreamWaitEvent {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaStreamWaitEvent.class, FUNC);
    }

    /**
     * Makes later work of a stream wait for an event.
     *
     * @param stream stream handle; 0 is the default stream
     * @param event event handle
     * @param flags flags; 0 for none
     * @return the status, a {@code cudaError} value
     */
    public static int cudaStreamWaitEvent(long stream, long event, int flags) {
        try {
            return (int) cudaStreamWaitEvent.MH.invokeExact(stream, event, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned int flags)
    private static final class cudaEventCreateWithFlags {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaEventCreateWithFlags.class, FUNC);
    }

    /**
     * Creates an event.
     *
     * @param eventOut receives the event handle, 8 bytes
     * @param flags flags; 0 for none
     * @return the status, a {@code cudaError} value
     */
    public static int cudaEventCreateWithFlags(MemorySegment eventOut, int flags) {
        try {
            return (int) cudaEventCreateWithFlags.MH.invokeExact(eventOut, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
    private static final class cudaEventRecord {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaEventRecord.class, FUNC);
    }

    /**
     * Records an event behind the work a stream holds now.
     *
     * @param event event handle
     * @param stream stream handle; 0 is the default stream
     * @return the status, a {@code cudaError} value
     */
    public static int cudaEventRecord(long event, long stream) {
        try {
            return (int) cudaEventRecord.MH.invokeExact(event, stream);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaEventQuery(cudaEvent_t event)
    private static final class cudaEventQuery {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaEventQuery.class, FUNC);
    }

    /**
     * Asks whether an event has completed: {@link #cudaSuccess} or {@link #cudaErrorNotReady}. One never recorded
     * counts as complete.
     *
     * @param event event handle
     * @return the status, a {@code cudaError} value
     */
    public static int cudaEventQuery(long event) {
        try {
            return (int) cudaEventQuery.MH.invokeExact(event);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaEventSynchronize(cudaEvent_t event)
    private static final class cudaEventSynchronize {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaEventSynchronize.class, FUNC);
    }

    /**
     * Blocks until an event has completed.
     *
     * @param event event handle
     * @return the status, a {@code cudaError} value
     */
    public static int cudaEventSynchronize(long event) {
        try {
            return (int) cudaEventSynchronize.MH.invokeExact(event);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t start, cudaEvent_t end)
    private static final class cudaEventElapsedTime {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaEventElapsedTime.class, FUNC);
    }

    /**
     * Reads the milliseconds between two recorded events.
     *
     * @param ms receives the milliseconds, a {@code float}
     * @param start event handle of the beginning
     * @param end event handle of the end
     * @return the status, a {@code cudaError} value
     */
    public static int cudaEventElapsedTime(MemorySegment ms, long start, long end) {
        try {
            return (int) cudaEventElapsedTime.MH.invokeExact(ms, start, end);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaEventDestroy(cudaEvent_t event)
    private static final class cudaEventDestroy {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaEventDestroy.class, FUNC);
    }

    /**
     * Destroys an event.
     *
     * @param event event handle
     * @return the status, a {@code cudaError} value
     */
    public static int cudaEventDestroy(long event) {
        try {
            return (int) cudaEventDestroy.MH.invokeExact(event);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaHostRegister(void *ptr, size_t size, unsigned int flags)
    private static final class cudaHostRegister {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaHostRegister.class, FUNC);
    }

    /**
     * Page-locks host memory that exists already.
     *
     * @param ptr the host memory
     * @param size bytes
     * @param flags flags; 0 for none
     * @return the status, a {@code cudaError} value
     */
    public static int cudaHostRegister(MemorySegment ptr, long size, int flags) {
        try {
            return (int) cudaHostRegister.MH.invokeExact(ptr, size, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaHostUnregister(void *ptr)
    private static final class cudaHostUnregister {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaHostUnregister.class, FUNC);
    }

    /**
     * Undoes {@link #cudaHostRegister}.
     *
     * @param ptr the host memory
     * @return the status, a {@code cudaError} value
     */
    public static int cudaHostUnregister(MemorySegment ptr) {
        try {
            return (int) cudaHostUnregister.MH.invokeExact(ptr);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaHostGetDevicePointer(void **pDevice, void *pHost, unsigned int flags)
    private static final class cudaHostGetDevicePointer {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaHostGetDevicePointer.class, FUNC);
    }

    /**
     * Reads the device address of registered or mapped host memory.
     *
     * @param pDevice receives the device address, 8 bytes
     * @param pHost the host memory
     * @param flags flags; 0 for none
     * @return the status, a {@code cudaError} value
     */
    public static int cudaHostGetDevicePointer(MemorySegment pDevice, MemorySegment pHost, int flags) {
        try {
            return (int) cudaHostGetDevicePointer.MH.invokeExact(pDevice, pHost, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaHostAlloc(void **pHost, size_t size, unsigned int flags)
    private static final class cudaHostAlloc {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaHostAlloc.class, FUNC);
    }

    /**
     * Allocates page-locked host memory.
     *
     * @param pHostOut receives the host address, 8 bytes
     * @param size bytes
     * @param flags flags; 0 for none
     * @return the status, a {@code cudaError} value
     */
    public static int cudaHostAlloc(MemorySegment pHostOut, long size, int flags) {
        try {
            return (int) cudaHostAlloc.MH.invokeExact(pHostOut, size, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaFreeHost(void *hostPtr)
    private static final class cudaFreeHost {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaFreeHost.class, FUNC);
    }

    /**
     * Frees memory of {@link #cudaHostAlloc}.
     *
     * @param hostPtr host address
     * @return the status, a {@code cudaError} value
     */
    public static int cudaFreeHost(long hostPtr) {
        try {
            return (int) cudaFreeHost.MH.invokeExact(hostPtr);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t *handle, void *devPtr)
    private static final class cudaIpcGetMemHandle {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaIpcGetMemHandle.class, FUNC);
    }

    /**
     * Makes the handle by which another process opens the allocation that holds an address; the handle names the
     * allocation's base.
     *
     * @param handleOut receives {@link #CUDA_IPC_HANDLE_SIZE} bytes
     * @param devPtr device address
     * @return the status, a {@code cudaError} value
     */
    public static int cudaIpcGetMemHandle(MemorySegment handleOut, long devPtr) {
        try {
            return (int) cudaIpcGetMemHandle.MH.invokeExact(handleOut, devPtr);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaIpcOpenMemHandle(void **devPtr, cudaIpcMemHandle_t handle, unsigned int flags)
    private static final class cudaIpcOpenMemHandle {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, IPC_HANDLE, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaIpcOpenMemHandle.class, FUNC);
    }

    /**
     * Maps another process's allocation; fails in the process that made it.
     *
     * @param devPtrOut receives the device address, 8 bytes
     * @param handle {@link #CUDA_IPC_HANDLE_SIZE} bytes, passed by value
     * @param flags {@link #cudaIpcMemLazyEnablePeerAccess}
     * @return the status, a {@code cudaError} value
     */
    public static int cudaIpcOpenMemHandle(MemorySegment devPtrOut, MemorySegment handle, int flags) {
        try {
            return (int) cudaIpcOpenMemHandle.MH.invokeExact(devPtrOut, handle, flags);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaIpcCloseMemHandle(void *devPtr)
    private static final class cudaIpcCloseMemHandle {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaIpcCloseMemHandle.class, FUNC);
    }

    /**
     * Unmaps what {@link #cudaIpcOpenMemHandle} mapped.
     *
     * @param devPtr device address
     * @return the status, a {@code cudaError} value
     */
    public static int cudaIpcCloseMemHandle(long devPtr) {
        try {
            return (int) cudaIpcCloseMemHandle.MH.invokeExact(devPtr);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaIpcGetEventHandle(cudaIpcEventHandle_t *handle, cudaEvent_t event)
    private static final class cudaIpcGetEventHandle {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaIpcGetEventHandle.class, FUNC);
    }

    /**
     * Makes the handle by which another process opens an event of this one.
     *
     * @param handleOut receives {@link #CUDA_IPC_HANDLE_SIZE} bytes
     * @param event event handle
     * @return the status, a {@code cudaError} value
     */
    public static int cudaIpcGetEventHandle(MemorySegment handleOut, long event) {
        try {
            return (int) cudaIpcGetEventHandle.MH.invokeExact(handleOut, event);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaIpcOpenEventHandle(cudaEvent_t *event, cudaIpcEventHandle_t handle)
    private static final class cudaIpcOpenEventHandle {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, IPC_HANDLE);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaIpcOpenEventHandle.class, FUNC);
    }

    /**
     * Opens another process's event; both must share a pid namespace, an ipc namespace and /dev/shm.
     *
     * @param eventOut receives the event handle, 8 bytes
     * @param handle {@link #CUDA_IPC_HANDLE_SIZE} bytes, passed by value
     * @return the status, a {@code cudaError} value
     */
    public static int cudaIpcOpenEventHandle(MemorySegment eventOut, MemorySegment handle) {
        try {
            return (int) cudaIpcOpenEventHandle.MH.invokeExact(eventOut, handle);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *attributes, const void *address)
    private static final class cudaPointerGetAttributes {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaPointerGetAttributes.class, FUNC);
    }

    /**
     * Tells what kind of memory an address is; fills a {@link CudaPointerAttributes}.
     *
     * @param attributes a {@link CudaPointerAttributes}
     * @param address a device or host address
     * @return the status, a {@code cudaError} value
     */
    public static int cudaPointerGetAttributes(MemorySegment attributes, long address) {
        try {
            return (int) cudaPointerGetAttributes.MH.invokeExact(attributes, address);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaDeviceSynchronize(void)
    private static final class cudaDeviceSynchronize {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaDeviceSynchronize.class, FUNC);
    }

    /**
     * Blocks until all work of the current device is done.
     *
     * @return the status, a {@code cudaError} value
     */
    public static int cudaDeviceSynchronize() {
        try {
            return (int) cudaDeviceSynchronize.MH.invokeExact();
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // cudaError_t cudaGetLastError(void)
    private static final class cudaGetLastError {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaGetLastError.class, FUNC);
    }

    /**
     * Returns the calling thread's last error and clears it.
     *
     * @return the status, a {@code cudaError} value
     */
    public static int cudaGetLastError() {
        try {
            return (int) cudaGetLastError.MH.invokeExact();
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // const char *cudaGetErrorName(cudaError_t error)
    private static final class cudaGetErrorName {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(ADDRESS, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaGetErrorName.class, FUNC);
    }

    /**
     * The name of an error code.
     *
     * @param error the code
     * @return the name or text, or the number where the library knows none
     */
    public static String cudaGetErrorName(int error) {
        try {
            return Binding.string((MemorySegment) cudaGetErrorName.MH.invokeExact(error));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // const char *cudaGetErrorString(cudaError_t error)
    private static final class cudaGetErrorString {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(ADDRESS, JAVA_INT);
        private static final MethodHandle MH = NativeLibrary.CUDART.link(cudaGetErrorString.class, FUNC);
    }

    /**
     * The text of an error code.
     *
     * @param error the code
     * @return the name or text, or the number where the library knows none
     */
    public static String cudaGetErrorString(int error) {
        try {
            return Binding.string((MemorySegment) cudaGetErrorString.MH.invokeExact(error));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }
}
