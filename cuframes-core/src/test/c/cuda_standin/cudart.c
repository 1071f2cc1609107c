/* SPDX-License-Identifier: Apache-2.0 */

/* The functions of libcudart. */
#define _GNU_SOURCE
#include "standin.h"

#include "api.h"

#include <stdio.h>
#include <string.h>

enum { VERSION = 13000, NON_BLOCKING = 1, DISABLE_TIMING = 2, INTERPROCESS = 4, READ_ONLY = 8, LAZY_PEER_ACCESS = 1 };

/* The beginning of struct cudaDeviceProp, which CUDA 12 and 13 share. */
enum { PROP_NAME = 0, PROP_UUID = 256, PROP_TOTAL_MEMORY = 288, PROP_BYTES = 296 };

static _Thread_local int last_error;

static int result(int status) {
    if (status != OK && status != NOT_READY) {
        last_error = status;
    }
    return status;
}

/* What a function that needs a device begins with: it makes the thread's device current. */
static int begin(const char *function) {
    int status = standin_call(function);
    if (status == OK) {
        device_initialize();
        status = device_exists(0) ? OK : NO_DEVICE;
    }
    if (status == OK) {
        device_use(device_current());
    }
    return status;
}

#define BEGIN()                         \
    do {                                \
        int begun_ = begin(__func__);   \
        if (begun_ != OK) {             \
            return result(begun_);      \
        }                               \
    } while (0)

/* What one begins with that only asks. */
#define QUERY()                                 \
    do {                                        \
        int begun_ = standin_query(__func__);   \
        if (begun_ != OK) {                     \
            return result(begun_);              \
        }                                       \
    } while (0)

/* ---- devices ---- */

EXPORT cudaError_t cudaGetDeviceCount(int *count) {
    QUERY();
    device_initialize();
    *count = standin_settings.devices;
    return result(*count == 0 ? NO_DEVICE : OK);
}

EXPORT cudaError_t cudaGetDevice(int *device) {
    QUERY();
    *device = device_current();
    return OK;
}

EXPORT cudaError_t cudaSetDevice(int device) {
    int status = standin_call(__func__);
    if (status == OK && !device_exists(device)) {
        status = INVALID_DEVICE;
    }
    if (status == OK) {
        device_initialize();
        device_use(device);
    }
    return result(status);
}

EXPORT cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attr, int device) {
    QUERY();
    if (!device_exists(device)) {
        return result(INVALID_DEVICE);
    }
    switch ((int)attr) {
        case 33: *value = standin_settings.visible[device] + 1; break; /* PCI bus; device and domain follow */
        case 34: case 50: *value = 0; break;
        case 18: case 20: *value = 0; break; /* integrated, compute mode */
        case 19: case 41: case 91: case 125: *value = 1; break; /* mapped and unified addresses, IPC */
        case 75: *value = 9; break; /* compute capability */
        case 76: *value = 0; break;
        default: return result(INVALID_VALUE);
    }
    return OK;
}

EXPORT cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *prop, int device) {
    QUERY();
    if (!device_exists(device)) {
        return result(INVALID_DEVICE);
    }
    char *bytes = (char *)prop;
    memset(bytes, 0, PROP_BYTES);
    strcpy(bytes + PROP_NAME, device_name);
    device_uuid(device, (unsigned char *)bytes + PROP_UUID);
    memcpy(bytes + PROP_TOTAL_MEMORY, &standin_settings.memory, sizeof standin_settings.memory);
    return OK;
}

/* The same under the name that libcudart.so.12 has for it. */
EXPORT cudaError_t cudaGetDeviceProperties_v2(struct cudaDeviceProp *prop, int device) {
    return cudaGetDeviceProperties(prop, device);
}

EXPORT cudaError_t cudaDeviceGetPCIBusId(char *pciBusId, int len, int device) {
    QUERY();
    if (!device_exists(device)) {
        return result(INVALID_DEVICE);
    }
    int needed = snprintf(pciBusId, (size_t)len, "0000:%02X:00.0", standin_settings.visible[device] + 1);
    return result(needed < len ? OK : INVALID_VALUE);
}

EXPORT cudaError_t cudaRuntimeGetVersion(int *runtimeVersion) {
    QUERY();
    *runtimeVersion = VERSION;
    return OK;
}

EXPORT cudaError_t cudaDriverGetVersion(int *driverVersion) {
    QUERY();
    *driverVersion = VERSION;
    return OK;
}

/* ---- memory ---- */

EXPORT cudaError_t cudaMalloc(void **devPtr, size_t size) {
    BEGIN();
    uint64_t address = 0;
    int status = size == 0 ? OK : LOCKED(memory_allocate(device_current(), size, &address));
    if (status == OK) {
        *devPtr = (void *)address;
    }
    return result(status);
}

EXPORT cudaError_t cudaFree(void *devPtr) {
    BEGIN();
    return result(devPtr == NULL ? OK : LOCKED((stream_await_release(), memory_free((uint64_t)devPtr))));
}

EXPORT cudaError_t cudaMemGetInfo(size_t *free, size_t *total) {
    BEGIN();
    *total = standin_settings.memory;
    pthread_mutex_lock(&standin_lock);
    *free = *total - memory_used(device_current());
    pthread_mutex_unlock(&standin_lock);
    return OK;
}

static bool is_known(const void *address) {
    struct memory *found;
    pthread_mutex_lock(&standin_lock);
    found = memory_at((uint64_t)address);
    pthread_mutex_unlock(&standin_lock);
    return found != NULL;
}

/* Whether the addresses are what the caller says they are; registered host memory is good as either. */
static bool fits_kind(const void *dst, const void *src, enum cudaMemcpyKind kind) {
    bool to_device = address_is_device((uint64_t)dst), from_device = address_is_device((uint64_t)src);
    switch (kind) {
        case cudaMemcpyHostToHost: return !to_device && !from_device;
        case cudaMemcpyHostToDevice: return !from_device && is_known(dst);
        case cudaMemcpyDeviceToHost: return !to_device && is_known(src);
        case cudaMemcpyDeviceToDevice: return is_known(dst) && is_known(src);
        case cudaMemcpyDefault: return true;
    }
    return false;
}

static int copy(void *dst, size_t dpitch, const void *src, size_t spitch, size_t width, size_t height,
        enum cudaMemcpyKind kind, cudaStream_t stream, bool wait) {
    if (height > 1 && (dpitch < width || spitch < width)) {
        return INVALID_PITCH;
    }
    if (width > 0 && height > 0 && !fits_kind(dst, src, kind)) {
        return INVALID_VALUE;
    }
    struct operation copy = {.kind = COPY, .to = (uint64_t)dst, .to_pitch = dpitch, .from = (uint64_t)src,
            .from_pitch = spitch, .width = width, .rows = height};
    return LOCKED(stream_submit((uintptr_t)stream, &copy, wait));
}

/* A copy that does not leave the device is not waited for. */
static bool touches_host(const void *dst, const void *src) {
    return !address_is_device((uint64_t)dst) || !address_is_device((uint64_t)src);
}

EXPORT cudaError_t cudaMemcpy(void *dst, const void *src, size_t count, enum cudaMemcpyKind kind) {
    BEGIN();
    return result(copy(dst, count, src, count, count, 1, kind, NULL, touches_host(dst, src)));
}

EXPORT cudaError_t cudaMemcpyAsync(
        void *dst, const void *src, size_t count, enum cudaMemcpyKind kind, cudaStream_t stream) {
    BEGIN();
    return result(copy(dst, count, src, count, count, 1, kind, stream, false));
}

EXPORT cudaError_t cudaMemcpy2D(void *dst, size_t dpitch, const void *src, size_t spitch, size_t width, size_t height,
        enum cudaMemcpyKind kind) {
    BEGIN();
    return result(copy(dst, dpitch, src, spitch, width, height, kind, NULL, touches_host(dst, src)));
}

EXPORT cudaError_t cudaMemcpy2DAsync(void *dst, size_t dpitch, const void *src, size_t spitch, size_t width,
        size_t height, enum cudaMemcpyKind kind, cudaStream_t stream) {
    BEGIN();
    return result(copy(dst, dpitch, src, spitch, width, height, kind, stream, false));
}

static int fill(void *devPtr, size_t pitch, int value, size_t width, size_t height, cudaStream_t stream) {
    if (height > 1 && pitch < width) {
        return INVALID_PITCH;
    }
    struct operation fill = {.kind = FILL, .to = (uint64_t)devPtr, .to_pitch = pitch, .width = width, .rows = height,
            .value = (unsigned char)value};
    return LOCKED(stream_submit((uintptr_t)stream, &fill, false));
}

/* Does not wait either: it is asynchronous in device memory. */
EXPORT cudaError_t cudaMemset(void *devPtr, int value, size_t count) {
    BEGIN();
    return result(fill(devPtr, count, value, count, 1, NULL));
}

EXPORT cudaError_t cudaMemsetAsync(void *devPtr, int value, size_t count, cudaStream_t stream) {
    BEGIN();
    return result(fill(devPtr, count, value, count, 1, stream));
}

EXPORT cudaError_t cudaMemset2DAsync(
        void *devPtr, size_t pitch, int value, size_t width, size_t height, cudaStream_t stream) {
    BEGIN();
    return result(fill(devPtr, pitch, value, width, height, stream));
}

/* ---- streams ---- */

EXPORT cudaError_t cudaStreamCreateWithFlags(cudaStream_t *pStream, unsigned int flags) {
    BEGIN();
    uintptr_t handle = 0;
    int status = flags > NON_BLOCKING ? INVALID_VALUE
                                      : LOCKED(stream_create(device_current(), flags != NON_BLOCKING, &handle));
    if (status == OK) {
        *pStream = (cudaStream_t)handle;
    }
    return result(status);
}

EXPORT cudaError_t cudaStreamCreateWithPriority(cudaStream_t *pStream, unsigned int flags, int priority) {
    (void)priority; /* all are alike */
    BEGIN();
    uintptr_t handle = 0;
    int status = flags > NON_BLOCKING ? INVALID_VALUE
                                      : LOCKED(stream_create(device_current(), flags != NON_BLOCKING, &handle));
    if (status == OK) {
        *pStream = (cudaStream_t)handle;
    }
    return result(status);
}

EXPORT cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    BEGIN();
    return result(LOCKED(stream_destroy((uintptr_t)stream)));
}

/* Where it is to fail, it has waited all the same. */
EXPORT cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    int failure = begin(__func__);
    int status = LOCKED(stream_await((uintptr_t)stream));
    return result(failure != OK ? failure : status);
}

EXPORT cudaError_t cudaStreamQuery(cudaStream_t stream) {
    BEGIN();
    return result(LOCKED(stream_query((uintptr_t)stream)));
}

EXPORT cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int flags) {
    BEGIN();
    return result(flags != 0 ? INVALID_VALUE : LOCKED(event_wait((uintptr_t)stream, (uintptr_t)event)));
}

EXPORT cudaError_t cudaDeviceSynchronize(void) {
    int failure = begin(__func__);
    int status = LOCKED(stream_await_device(device_current()));
    return result(failure != OK ? failure : status);
}

/* ---- events ---- */

EXPORT cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned int flags) {
    BEGIN();
    bool timed = (flags & DISABLE_TIMING) == 0;
    uintptr_t handle = 0;
    int status = flags > 7 || (timed && (flags & INTERPROCESS) != 0)
            ? INVALID_VALUE
            : LOCKED(event_create(device_current(), timed, &handle));
    if (status == OK) {
        *event = (cudaEvent_t)handle;
    }
    return result(status);
}

EXPORT cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    BEGIN();
    return result(LOCKED(event_record((uintptr_t)event, (uintptr_t)stream)));
}

EXPORT cudaError_t cudaEventQuery(cudaEvent_t event) {
    BEGIN();
    return result(LOCKED(event_query((uintptr_t)event)));
}

EXPORT cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    int failure = begin(__func__);
    int status = LOCKED(event_await((uintptr_t)event));
    return result(failure != OK ? failure : status);
}

EXPORT cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t start, cudaEvent_t end) {
    BEGIN();
    return result(LOCKED(event_elapsed((uintptr_t)start, (uintptr_t)end, ms)));
}

EXPORT cudaError_t cudaEventDestroy(cudaEvent_t event) {
    BEGIN();
    return result(LOCKED(event_destroy((uintptr_t)event)));
}

/* ---- host memory ---- */

EXPORT cudaError_t cudaHostRegister(void *ptr, size_t size, unsigned int flags) {
    BEGIN();
    return result(LOCKED(memory_register((uint64_t)ptr, size, (flags & READ_ONLY) != 0)));
}

EXPORT cudaError_t cudaHostUnregister(void *ptr) {
    BEGIN();
    return result(LOCKED((stream_await_release(), memory_unregister((uint64_t)ptr))));
}

EXPORT cudaError_t cudaHostGetDevicePointer(void **pDevice, void *pHost, unsigned int flags) {
    BEGIN();
    if (flags != 0 || address_is_device((uint64_t)pHost) || !is_known(pHost)) {
        return result(INVALID_VALUE);
    }
    *pDevice = pHost;
    return OK;
}

EXPORT cudaError_t cudaHostAlloc(void **pHost, size_t size, unsigned int flags) {
    (void)flags; /* every device reaches it */
    BEGIN();
    uint64_t address = 0;
    int status = size == 0 ? OK : LOCKED(memory_pin(size, &address));
    if (status == OK) {
        *pHost = (void *)address;
    }
    return result(status);
}

EXPORT cudaError_t cudaFreeHost(void *hostPtr) {
    BEGIN();
    return result(hostPtr == NULL ? OK : LOCKED(memory_unpin((uint64_t)hostPtr)));
}

EXPORT cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *attributes, const void *address) {
    BEGIN();
    bool device = address_is_device((uint64_t)address);
    pthread_mutex_lock(&standin_lock);
    struct memory *memory = memory_at((uint64_t)address);
    attributes->type = memory == NULL ? cudaMemoryTypeUnregistered : device ? cudaMemoryTypeDevice : cudaMemoryTypeHost;
    attributes->device = memory == NULL ? -2 : memory->device; /* cudaInvalidDeviceId */
    attributes->devicePointer = memory == NULL ? NULL : (void *)address;
    attributes->hostPointer = device ? NULL : (void *)address;
    pthread_mutex_unlock(&standin_lock);
    return OK;
}

/* ---- other processes ---- */

EXPORT cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t *handle, void *devPtr) {
    BEGIN();
    return result(LOCKED(memory_export((uint64_t)devPtr, (unsigned char *)handle)));
}

EXPORT cudaError_t cudaIpcOpenMemHandle(void **devPtr, cudaIpcMemHandle_t handle, unsigned int flags) {
    BEGIN();
    uint64_t address = 0;
    int status = flags != LAZY_PEER_ACCESS ? INVALID_VALUE
                                           : LOCKED(memory_open((const unsigned char *)&handle, &address));
    if (status == OK) {
        *devPtr = (void *)address;
    }
    return result(status);
}

EXPORT cudaError_t cudaIpcCloseMemHandle(void *devPtr) {
    BEGIN();
    return result(LOCKED((stream_await_release(), memory_close((uint64_t)devPtr))));
}

EXPORT cudaError_t cudaIpcGetEventHandle(cudaIpcEventHandle_t *handle, cudaEvent_t event) {
    (void)handle;
    (void)event;
    BEGIN();
    return result(NOT_SUPPORTED);
}

EXPORT cudaError_t cudaIpcOpenEventHandle(cudaEvent_t *event, cudaIpcEventHandle_t handle) {
    (void)event;
    (void)handle;
    BEGIN();
    return result(NOT_SUPPORTED);
}

/* ---- errors ---- */

EXPORT cudaError_t cudaGetLastError(void) {
    int status = last_error;
    last_error = OK;
    return status;
}

EXPORT const char *cudaGetErrorName(cudaError_t error) {
    const char *name = standin_error_name((int)error, true);
    return name == NULL ? "unrecognized error code" : name;
}

EXPORT const char *cudaGetErrorString(cudaError_t error) {
    const char *text = standin_error_text((int)error);
    return text == NULL ? "unrecognized error code" : text;
}
