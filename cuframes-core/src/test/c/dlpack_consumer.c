/* SPDX-License-Identifier: Apache-2.0
 *
 * A consumer of DLPack tensors, as another library of the process would be one: it is given the address of a structure, reads the fields and every
 * element, and calls the deleter, each on a thread that the caller knows nothing of. Built as a shared library.
 */
#include "dlpack.h"

#include <pthread.h>
#include <stdint.h>

#define MAX_DIMENSIONS 4

/* What was found, all as 64-bit integers, so that the caller needs no layout. */
typedef struct {
    int64_t major, minor, flags;
    int64_t device_type, device_id;
    int64_t ndim, code, bits, lanes;
    int64_t data, byte_offset;
    int64_t shape[MAX_DIMENSIONS];
    int64_t strides[MAX_DIMENSIONS];
    int64_t checksum; /* FNV-1a over the bytes of the elements, in the order of their indices */
} Report;

static int64_t checksum(const DLTensor *tensor) {
    const uint8_t *first = (const uint8_t *) tensor->data + tensor->byte_offset;
    int64_t size = tensor->dtype.bits / 8;
    int64_t index[MAX_DIMENSIONS] = {0};
    uint64_t hash = 0xcbf29ce484222325u;
    int32_t dimension = 0;
    while (dimension >= 0) {
        int64_t element = 0;
        for (int32_t i = 0; i < tensor->ndim; i++) {
            element += index[i] * tensor->strides[i];
        }
        for (int64_t byte = 0; byte < size; byte++) {
            hash = (hash ^ first[element * size + byte]) * 0x100000001b3u;
        }
        for (dimension = tensor->ndim - 1; dimension >= 0; dimension--) {
            if (++index[dimension] < tensor->shape[dimension]) {
                break;
            }
            index[dimension] = 0;
        }
    }
    return (int64_t) hash;
}

static void describe(const DLTensor *tensor, Report *report) {
    report->device_type = tensor->device.device_type;
    report->device_id = tensor->device.device_id;
    report->ndim = tensor->ndim;
    report->code = tensor->dtype.code;
    report->bits = tensor->dtype.bits;
    report->lanes = tensor->dtype.lanes;
    report->data = (int64_t) (intptr_t) tensor->data;
    report->byte_offset = (int64_t) tensor->byte_offset;
    for (int32_t i = 0; i < tensor->ndim && i < MAX_DIMENSIONS; i++) {
        report->shape[i] = tensor->shape[i];
        report->strides[i] = tensor->strides[i];
    }
    if (tensor->ndim <= MAX_DIMENSIONS && tensor->device.device_type == kDLCPU) {
        report->checksum = checksum(tensor);
    }
}

typedef struct {
    void *tensor;
    Report *report;
} Job;

static void *inspect_versioned_job(void *argument) {
    Job *job = argument;
    DLManagedTensorVersioned *tensor = job->tensor;
    job->report->major = tensor->version.major;
    job->report->minor = tensor->version.minor;
    job->report->flags = (int64_t) tensor->flags;
    describe(&tensor->dl_tensor, job->report);
    return 0;
}

static void *inspect_job(void *argument) {
    Job *job = argument;
    DLManagedTensor *tensor = job->tensor;
    describe(&tensor->dl_tensor, job->report);
    return 0;
}

static void *delete_versioned_job(void *argument) {
    DLManagedTensorVersioned *tensor = ((Job *) argument)->tensor;
    tensor->deleter(tensor);
    return 0;
}

static void *delete_job(void *argument) {
    DLManagedTensor *tensor = ((Job *) argument)->tensor;
    tensor->deleter(tensor);
    return 0;
}

static int on_own_thread(void *(*work)(void *), void *tensor, Report *report) {
    Job job = {tensor, report};
    pthread_t thread;
    int error = pthread_create(&thread, 0, work, &job);
    return error != 0 ? error : pthread_join(thread, 0);
}

int inspect_versioned(void *tensor, Report *report) {
    return on_own_thread(inspect_versioned_job, tensor, report);
}

int inspect(void *tensor, Report *report) {
    return on_own_thread(inspect_job, tensor, report);
}

int delete_versioned(void *tensor) {
    return on_own_thread(delete_versioned_job, tensor, 0);
}

int delete_unversioned(void *tensor) {
    return on_own_thread(delete_job, tensor, 0);
}
