/* SPDX-License-Identifier: Apache-2.0 */

/* The functions of libcuda. */
#define _GNU_SOURCE
#include "standin.h"

#include "api.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { VERSION = 13000 };

static char contexts[MAX_DEVICES]; /* the address of each is its device's primary context */
static char others[MAX_DEVICES];   /* and of a second context there */
static int retained[MAX_DEVICES];

static int begin(const char *function) {
    int status = standin_call(function);
    return status == OK && !device_initialized() ? NOT_INITIALIZED : status;
}

static int begin_unsafe(const char *function) {
    int status = standin_unsafe_call(function);
    return status == OK && !device_initialized() ? NOT_INITIALIZED : status;
}

/* What every function but cuInit begins with. */
#define BEGIN()                         \
    do {                                \
        int begun_ = begin(__func__);   \
        if (begun_ != OK) {             \
            return begun_;              \
        }                               \
    } while (0)

/* And those that work in the current context. */
#define BEGIN_IN_CONTEXT()              \
    BEGIN();                            \
    if (!device_chosen()) {             \
        return INVALID_CONTEXT;         \
    }

/* And those of them that end a capture. */
#define BEGIN_UNSAFE()                         \
    do {                                       \
        int begun_ = begin_unsafe(__func__);   \
        if (begun_ != OK) {                    \
            return begun_;                     \
        }                                      \
    } while (0)
#define BEGIN_UNSAFE_IN_CONTEXT()       \
    BEGIN_UNSAFE();                     \
    if (!device_chosen()) {             \
        return INVALID_CONTEXT;         \
    }

/* What one begins with that a lost context does not fail. */
#define BEGIN_ANYHOW()                           \
    do {                                         \
        int begun_ = standin_query(__func__);    \
        if (begun_ != OK) {                      \
            return begun_;                       \
        }                                        \
    } while (0)

#define NEEDS_DEVICE(device)            \
    if (!device_exists(device)) {       \
        return INVALID_DEVICE;          \
    }

/* ---- devices and contexts ---- */

EXPORT CUresult cuInit(unsigned int flags) {
    int status = standin_call(__func__);
    if (status == OK) {
        status = flags != 0 ? INVALID_VALUE : device_exists(0) ? OK : NO_DEVICE;
    }
    if (status == OK) {
        device_initialize();
    }
    return status;
}

EXPORT CUresult cuDriverGetVersion(int *driverVersion) {
    int status = standin_query(__func__);
    *driverVersion = VERSION;
    return status;
}

EXPORT CUresult cuDeviceGetCount(int *count) {
    BEGIN();
    *count = standin_settings.devices;
    return OK;
}

EXPORT CUresult cuDeviceGet(CUdevice *device, int ordinal) {
    BEGIN();
    NEEDS_DEVICE(ordinal);
    *device = ordinal;
    return OK;
}

EXPORT CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice dev) {
    BEGIN();
    NEEDS_DEVICE(dev);
    device_uuid(dev, (unsigned char *)uuid);
    return OK;
}

EXPORT CUresult cuDeviceGetName(char *name, int len, CUdevice dev) {
    BEGIN();
    NEEDS_DEVICE(dev);
    snprintf(name, (size_t)len, "%s", device_name);
    return OK;
}

EXPORT CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attrib, CUdevice dev) {
    BEGIN();
    NEEDS_DEVICE(dev);
    switch ((int)attrib) {
        case 33: *value = standin_settings.visible[dev] + 1; break; /* PCI bus; device and domain follow */
        case 34: case 50: *value = 0; break;
        case 18: *value = 0; break;                    /* integrated */
        case 75: *value = 9; break;                    /* compute capability */
        case 76: *value = 0; break;
        case 102: case 103: case 122: *value = 1; break; /* virtual memory, its descriptors, 64-bit writes */
        default: return INVALID_VALUE;
    }
    return OK;
}

EXPORT CUresult cuDevicePrimaryCtxRetain(CUcontext *ctx, CUdevice dev) {
    BEGIN();
    NEEDS_DEVICE(dev);
    LOCKED(retained[dev]++);
    *ctx = (CUcontext)&contexts[dev];
    return OK;
}

EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice dev) {
    BEGIN();
    NEEDS_DEVICE(dev);
    return LOCKED(retained[dev] > 0 ? (retained[dev]--, OK) : INVALID_CONTEXT);
}

EXPORT CUresult cuCtxGetCurrent(CUcontext *ctx) {
    BEGIN_ANYHOW();
    *ctx = !device_chosen() ? NULL : (CUcontext)&(device_other() ? others : contexts)[device_current()];
    return OK;
}

EXPORT CUresult cuCtxSetCurrent(CUcontext ctx) {
    BEGIN_ANYHOW();
    if (ctx == NULL) {
        device_unuse();
        return OK;
    }
    for (int device = 0; device_exists(device); device++) {
        if ((char *)ctx == &contexts[device]) {
            device_use(device);
            return OK;
        }
        if ((char *)ctx == &others[device]) {
            device_use_other(device);
            return OK;
        }
    }
    return INVALID_CONTEXT;
}

EXPORT CUresult cuCtxGetDevice(CUdevice *device) {
    BEGIN_IN_CONTEXT();
    *device = device_current();
    return OK;
}

EXPORT CUresult cuStreamGetCtx(CUstream hStream, CUcontext *pctx) {
    BEGIN_IN_CONTEXT();
    int device = 0;
    int status = LOCKED(stream_device((uintptr_t)hStream, &device));
    if (status == OK) {
        *pctx = (CUcontext)&(LOCKED(stream_other((uintptr_t)hStream)) ? others : contexts)[device];
    }
    return status;
}

EXPORT CUresult cuCtxSynchronize(void) {
    int failure = begin(__func__);
    if (failure == OK && !device_chosen()) {
        return INVALID_CONTEXT;
    }
    int status = LOCKED(stream_await_device(device_current()));
    return failure != OK ? failure : status;
}

/* All devices of the stand-in reach each other. */
EXPORT CUresult cuDeviceCanAccessPeer(int *canAccessPeer, CUdevice dev, CUdevice peerDev) {
    BEGIN();
    NEEDS_DEVICE(dev);
    NEEDS_DEVICE(peerDev);
    *canAccessPeer = dev != peerDev;
    return OK;
}

/* ---- streams and events ---- */

enum { NON_BLOCKING = 1, DISABLE_TIMING = 2 };

EXPORT CUresult cuStreamCreate(CUstream *phStream, unsigned int flags) {
    BEGIN_IN_CONTEXT();
    uintptr_t handle = 0;
    int status = flags > NON_BLOCKING ? INVALID_VALUE
                                      : LOCKED(stream_create(device_current(), flags != NON_BLOCKING, &handle));
    if (status == OK) {
        *phStream = (CUstream)handle;
    }
    return status;
}

EXPORT CUresult cuStreamDestroy_v2(CUstream stream) {
    BEGIN_IN_CONTEXT();
    return LOCKED(stream_destroy((uintptr_t)stream));
}

/* Where it is to fail, it has waited all the same. */
EXPORT CUresult cuStreamSynchronize(CUstream stream) {
    int failure = begin(__func__);
    int status = LOCKED(stream_await((uintptr_t)stream));
    return failure != OK ? failure : status;
}

EXPORT CUresult cuStreamQuery(CUstream stream) {
    BEGIN_UNSAFE_IN_CONTEXT();
    return LOCKED(stream_query((uintptr_t)stream));
}

EXPORT CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode) {
    BEGIN_ANYHOW();
    *mode = (CUstreamCaptureMode)standin_exchange_capture_mode((int)*mode);
    return OK;
}

EXPORT CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned int flags) {
    BEGIN_IN_CONTEXT();
    return flags != 0 ? INVALID_VALUE : LOCKED(event_wait((uintptr_t)stream, (uintptr_t)event));
}

EXPORT CUresult cuEventCreate(CUevent *phEvent, unsigned int flags) {
    BEGIN_IN_CONTEXT();
    uintptr_t handle = 0;
    int status = flags > 7 ? INVALID_VALUE
                           : LOCKED(event_create(device_current(), (flags & DISABLE_TIMING) == 0, &handle));
    if (status == OK) {
        *phEvent = (CUevent)handle;
    }
    return status;
}

EXPORT CUresult cuEventRecord(CUevent event, CUstream stream) {
    BEGIN_IN_CONTEXT();
    return LOCKED(event_record((uintptr_t)event, (uintptr_t)stream));
}

EXPORT CUresult cuEventQuery(CUevent event) {
    BEGIN_UNSAFE_IN_CONTEXT();
    return LOCKED(event_query((uintptr_t)event));
}

EXPORT CUresult cuEventDestroy_v2(CUevent event) {
    BEGIN_IN_CONTEXT();
    return LOCKED(event_destroy((uintptr_t)event));
}

/* ---- host memory, copies and fills ---- */

enum { DEVICE_MAP = 2, READ_ONLY = 8 };

EXPORT CUresult cuMemHostRegister_v2(void *p, size_t bytesize, unsigned int flags) {
    BEGIN_IN_CONTEXT();
    return (flags & DEVICE_MAP) == 0 ? NOT_SUPPORTED
                                     : LOCKED(memory_register((uint64_t)p, bytesize, (flags & READ_ONLY) != 0));
}

EXPORT CUresult cuMemHostUnregister(void *p) {
    BEGIN_UNSAFE_IN_CONTEXT();
    return LOCKED((stream_await_release(), memory_unregister((uint64_t)p)));
}

static bool is_known(uint64_t address) {
    return LOCKED(memory_at(address) != NULL);
}

EXPORT CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr *pdptr, void *p, unsigned int flags) {
    BEGIN_IN_CONTEXT();
    if (flags != 0 || address_is_device((uint64_t)p) || !is_known((uint64_t)p)) {
        return INVALID_VALUE;
    }
    *pdptr = (CUdeviceptr)p;
    return OK;
}

EXPORT CUresult cuMemcpyDtoHAsync_v2(void *dstHost, CUdeviceptr srcDevice, size_t byteCount, CUstream stream) {
    BEGIN_IN_CONTEXT();
    if (byteCount > 0 && (address_is_device((uint64_t)dstHost) || !is_known(srcDevice))) {
        return INVALID_VALUE;
    }
    struct operation copy = {.kind = COPY, .to = (uint64_t)dstHost, .to_pitch = byteCount, .from = srcDevice,
            .from_pitch = byteCount, .width = byteCount, .rows = 1};
    return LOCKED(stream_submit((uintptr_t)stream, &copy, false));
}

/* Between unified addresses only. */
EXPORT CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *pCopy, CUstream stream) {
    BEGIN_IN_CONTEXT();
    if (pCopy->srcMemoryType != CU_MEMORYTYPE_UNIFIED || pCopy->dstMemoryType != CU_MEMORYTYPE_UNIFIED) {
        return NOT_SUPPORTED;
    }
    if (pCopy->Height > 1 && (pCopy->srcPitch < pCopy->WidthInBytes || pCopy->dstPitch < pCopy->WidthInBytes)) {
        return INVALID_VALUE;
    }
    struct operation copy = {.kind = COPY,
            .to = pCopy->dstDevice + pCopy->dstY * pCopy->dstPitch + pCopy->dstXInBytes,
            .to_pitch = pCopy->dstPitch,
            .from = pCopy->srcDevice + pCopy->srcY * pCopy->srcPitch + pCopy->srcXInBytes,
            .from_pitch = pCopy->srcPitch, .width = pCopy->WidthInBytes, .rows = pCopy->Height};
    return LOCKED(stream_submit((uintptr_t)stream, &copy, false));
}

/* Does not wait: it is asynchronous in device memory. */
EXPORT CUresult cuMemsetD8_v2(CUdeviceptr dstDevice, unsigned char uc, size_t n) {
    BEGIN_IN_CONTEXT();
    struct operation fill = {.kind = FILL, .to = dstDevice, .to_pitch = n, .width = n, .rows = 1, .value = uc};
    return LOCKED(stream_submit(0, &fill, false));
}

/* ---- words that streams write and wait for ---- */

static int submit_word(enum operation_kind kind, CUstream stream, CUdeviceptr addr, uint64_t value, unsigned bytes,
        unsigned flags) {
    if (addr % bytes != 0) {
        return INVALID_VALUE;
    }
    struct operation word = {.kind = kind, .to = addr, .value = value, .bytes = bytes, .flags = flags};
    return LOCKED(stream_submit((uintptr_t)stream, &word, false));
}

EXPORT CUresult cuStreamWriteValue32_v2(CUstream stream, CUdeviceptr addr, cuuint32_t value, unsigned int flags) {
    BEGIN_IN_CONTEXT();
    return flags > 1 ? INVALID_VALUE : submit_word(WRITE, stream, addr, value, sizeof value, flags);
}

EXPORT CUresult cuStreamWriteValue64_v2(CUstream stream, CUdeviceptr addr, cuuint64_t value, unsigned int flags) {
    BEGIN_IN_CONTEXT();
    return flags > 1 ? INVALID_VALUE : submit_word(WRITE, stream, addr, value, sizeof value, flags);
}

EXPORT CUresult cuStreamWaitValue64_v2(CUstream stream, CUdeviceptr addr, cuuint64_t value, unsigned int flags) {
    BEGIN_IN_CONTEXT();
    return flags > 3 ? INVALID_VALUE : submit_word(AFTER_VALUE, stream, addr, value, sizeof value, flags);
}

/* ---- virtual memory ---- */

static bool is_device_memory(const CUmemAllocationProp *prop) {
    return prop->type == CU_MEM_ALLOCATION_TYPE_PINNED && prop->location.type == CU_MEM_LOCATION_TYPE_DEVICE;
}

EXPORT CUresult cuMemCreate(
        CUmemGenericAllocationHandle *handle, size_t size, const CUmemAllocationProp *prop, unsigned long long flags) {
    BEGIN();
    if (flags != 0 || !is_device_memory(prop)) {
        return INVALID_VALUE;
    }
    NEEDS_DEVICE(prop->location.id);
    bool exportable = ((int)prop->requestedHandleTypes & CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR) != 0;
    uint64_t made = 0;
    int status = LOCKED(vmm_create(prop->location.id, size, exportable, &made));
    if (status == OK) {
        *handle = made;
    }
    return status;
}

EXPORT CUresult cuMemRelease(CUmemGenericAllocationHandle handle) {
    BEGIN();
    return LOCKED(vmm_release(handle));
}

EXPORT CUresult cuMemAddressReserve(
        CUdeviceptr *ptr, size_t size, size_t alignment, CUdeviceptr addr, unsigned long long flags) {
    (void)addr; /* a wish */
    BEGIN();
    uint64_t at = 0;
    int status = flags != 0 ? INVALID_VALUE : LOCKED(vmm_reserve(size, alignment, &at));
    if (status == OK) {
        *ptr = at;
    }
    return status;
}

EXPORT CUresult cuMemAddressFree(CUdeviceptr ptr, size_t size) {
    BEGIN_ANYHOW();
    return LOCKED(vmm_unreserve(ptr, size));
}

EXPORT CUresult cuMemMap(
        CUdeviceptr ptr, size_t size, size_t offset, CUmemGenericAllocationHandle handle, unsigned long long flags) {
    BEGIN();
    return flags != 0 ? INVALID_VALUE : LOCKED(vmm_map(ptr, size, offset, handle));
}

/* Changing the access waits for the devices, as CUDA says of it. */
static int await_devices(void) {
    for (int device = 0; device_exists(device); device++) {
        stream_await_device(device);
    }
    return standin_lost;
}

/* A lost context has it unmapped. */
EXPORT CUresult cuMemUnmap(CUdeviceptr ptr, size_t size) {
    BEGIN_ANYHOW();
    return LOCKED((stream_await_release(), vmm_unmap(ptr, size)));
}

EXPORT CUresult cuMemSetAccess(CUdeviceptr ptr, size_t size, const CUmemAccessDesc *desc, size_t count) {
    BEGIN();
    int status = LOCKED(await_devices());
    for (size_t i = 0; i < count && status == OK; i++) {
        int protection;
        switch ((int)desc[i].flags) {
            case CU_MEM_ACCESS_FLAGS_PROT_NONE: protection = PROT_NONE; break;
            case CU_MEM_ACCESS_FLAGS_PROT_READ: protection = PROT_READ | (standin_settings.lax ? PROT_WRITE : 0); break;
            case CU_MEM_ACCESS_FLAGS_PROT_READWRITE: protection = PROT_READ | PROT_WRITE; break;
            default: return INVALID_VALUE;
        }
        if (desc[i].location.type != CU_MEM_LOCATION_TYPE_DEVICE) {
            return INVALID_VALUE;
        }
        NEEDS_DEVICE(desc[i].location.id);
        status = LOCKED(vmm_set_access(ptr, size, desc[i].location.id, protection));
    }
    return status;
}

EXPORT CUresult cuMemExportToShareableHandle(void *shareableHandle, CUmemGenericAllocationHandle handle,
        CUmemAllocationHandleType handleType, unsigned long long flags) {
    BEGIN();
    if (flags != 0 || handleType != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR) {
        return INVALID_VALUE;
    }
    int file = -1;
    int status = LOCKED(vmm_export(handle, &file));
    if (status == OK) {
        *(int *)shareableHandle = file;
    }
    return status;
}

EXPORT CUresult cuMemImportFromShareableHandle(
        CUmemGenericAllocationHandle *handle, void *osHandle, CUmemAllocationHandleType shHandleType) {
    BEGIN();
    uint64_t imported = 0;
    int status = shHandleType != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR
            ? INVALID_VALUE
            : LOCKED(vmm_import((int)(intptr_t)osHandle, &imported));
    if (status == OK) {
        *handle = imported;
    }
    return status;
}

EXPORT CUresult cuMemGetAllocationGranularity(
        size_t *granularity, const CUmemAllocationProp *prop, CUmemAllocationGranularity_flags option) {
    (void)option; /* both are alike */
    BEGIN();
    if (!is_device_memory(prop)) {
        return INVALID_VALUE;
    }
    NEEDS_DEVICE(prop->location.id);
    *granularity = GRANULARITY;
    return OK;
}

/* ---- addresses ---- */

EXPORT CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
    BEGIN_IN_CONTEXT();
    *total = standin_settings.memory;
    pthread_mutex_lock(&standin_lock);
    *free = *total - memory_used(device_current());
    pthread_mutex_unlock(&standin_lock);
    return OK;
}

EXPORT CUresult cuMemGetAddressRange_v2(CUdeviceptr *pbase, size_t *psize, CUdeviceptr ptr) {
    BEGIN_IN_CONTEXT();
    pthread_mutex_lock(&standin_lock);
    struct memory *memory = memory_at(ptr);
    if (memory != NULL && pbase != NULL) {
        *pbase = memory->address;
    }
    if (memory != NULL && psize != NULL) {
        *psize = memory->size;
    }
    pthread_mutex_unlock(&standin_lock);
    return memory == NULL ? NOT_FOUND : OK;
}

static int get_attribute(void *data, CUpointer_attribute attribute, CUdeviceptr ptr) {
    struct memory *memory = memory_at(ptr);
    if (memory == NULL) {
        return INVALID_VALUE;
    }
    bool device = address_is_device(ptr);
    switch (attribute) {
        case CU_POINTER_ATTRIBUTE_CONTEXT: /* none is tied to a mapping */
            *(CUcontext *)data = memory->kind == MAPPED ? NULL : (CUcontext)&contexts[memory->device];
            return OK;
        case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
            *(unsigned *)data = device ? CU_MEMORYTYPE_DEVICE : CU_MEMORYTYPE_HOST;
            return OK;
        case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
            *(CUdeviceptr *)data = ptr;
            return OK;
        case CU_POINTER_ATTRIBUTE_HOST_POINTER:
            *(CUdeviceptr *)data = ptr;
            return device ? INVALID_VALUE : OK;
        case CU_POINTER_ATTRIBUTE_BUFFER_ID:
            *(unsigned long long *)data = memory->id;
            return OK;
        case CU_POINTER_ATTRIBUTE_IS_MANAGED:
            *(bool *)data = false;
            return OK;
        case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
            *(int *)data = memory->device;
            return OK;
        case CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE:
            *(bool *)data = memory->kind == ALLOCATED;
            return OK;
        case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
            *(CUdeviceptr *)data = memory->address;
            return OK;
        case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
            *(size_t *)data = memory->size;
            return OK;
        case CU_POINTER_ATTRIBUTE_MAPPED:
            *(bool *)data = true;
            return OK;
        case CU_POINTER_ATTRIBUTE_ALLOWED_HANDLE_TYPES:
            *(unsigned long long *)data = memory->kind == MAPPED ? CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR : 0;
            return OK;
        default: return INVALID_VALUE;
    }
}

EXPORT CUresult cuPointerGetAttribute(void *data, CUpointer_attribute attribute, CUdeviceptr ptr) {
    BEGIN();
    return LOCKED(get_attribute(data, attribute, ptr));
}

/* ---- errors ---- */

EXPORT CUresult cuGetErrorName(CUresult error, const char **pStr) {
    *pStr = standin_error_name((int)error, false);
    return *pStr == NULL ? INVALID_VALUE : OK;
}

EXPORT CUresult cuGetErrorString(CUresult error, const char **pStr) {
    *pStr = standin_error_text((int)error);
    return *pStr == NULL ? INVALID_VALUE : OK;
}
