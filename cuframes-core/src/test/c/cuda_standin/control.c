/* SPDX-License-Identifier: Apache-2.0 */

/* Settings, failures on demand, the trace of calls, and what a test asks the stand-in for. */
#define _GNU_SOURCE
#include "standin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FAILURES = 16, MAX_NAME = 64, MAX_TRACE = 4096, TEXT_BYTES = 1 << 18 };

struct failure {
    char function[MAX_NAME];
    unsigned at, calls;
    bool after; /* fails from then on */
    int status;
};

pthread_mutex_t standin_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t standin_changed = PTHREAD_COND_INITIALIZER;
int standin_lost;
struct settings standin_settings;

static struct failure failures[MAX_FAILURES];
static const char *trace[MAX_TRACE];
static int traced = -1; /* -1: off */
static char text[TEXT_BYTES];
static size_t text_length;

/* ---- settings ---- */

static const char *const NAMES[] = {"DEVICES", "VISIBLE", "MEMORY", "DELAY_US", "JITTER_US", "SEED", "LAX", "BLOCK", "FAIL"};

static bool parse_failures(const char *list) {
    struct failure parsed[MAX_FAILURES] = {0};
    int count = 0;
    for (const char *at = list; *at != '\0'; count++) {
        struct failure *each = &parsed[count];
        int used = 0;
        if (count == MAX_FAILURES || sscanf(at, "%63[A-Za-z0-9_]:%u%n", each->function, &each->at, &used) != 2) {
            return false;
        }
        at += used;
        each->after = *at == '+';
        at += each->after;
        if (sscanf(at, ":%d%n", &each->status, &used) != 1) {
            return false;
        }
        at += used;
        if (*at == ',') {
            at++;
        } else if (*at != '\0') {
            return false;
        }
    }
    memcpy(failures, parsed, sizeof failures);
    return true;
}

static bool parse_visible(const char *list) {
    int count = 0;
    for (const char *at = list; *at != '\0';) {
        char *end;
        long device = strtol(at, &end, 10);
        if (end == at || device < 0 || device >= standin_settings.devices || count == MAX_DEVICES) {
            return false;
        }
        standin_settings.visible[count++] = (int)device;
        at = *end == ',' ? end + 1 : end;
    }
    standin_settings.devices = count;
    return true;
}

static void show_all(int devices) {
    standin_settings.devices = devices;
    for (int i = 0; i < MAX_DEVICES; i++) {
        standin_settings.visible[i] = i;
    }
}

static bool set(const char *name, const char *value) {
    unsigned long long number = strtoull(value, NULL, 10);
    if (strcmp(name, "DEVICES") == 0) {
        if (number > MAX_DEVICES) {
            return false;
        }
        show_all((int)number);
    } else if (strcmp(name, "VISIBLE") == 0) {
        return parse_visible(value);
    } else if (strcmp(name, "MEMORY") == 0) {
        standin_settings.memory = number;
    } else if (strcmp(name, "DELAY_US") == 0) {
        standin_settings.delay_us = (unsigned)number;
    } else if (strcmp(name, "JITTER_US") == 0) {
        standin_settings.jitter_us = (unsigned)number;
    } else if (strcmp(name, "SEED") == 0) {
        standin_settings.seed = number;
    } else if (strcmp(name, "LAX") == 0) {
        standin_settings.lax = number != 0;
    } else if (strcmp(name, "BLOCK") == 0) {
        standin_settings.block = number != 0;
    } else if (strcmp(name, "FAIL") == 0) {
        return parse_failures(value);
    } else {
        return false;
    }
    return true;
}

__attribute__((constructor)) static void read_environment(void) {
    standin_settings = (struct settings){.memory = 8ull << 30, .seed = 1};
    show_all(1);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char variable[MAX_NAME];
        snprintf(variable, sizeof variable, "CUFRAMES_STANDIN_%s", NAMES[i]);
        const char *value = getenv(variable);
        if (value != NULL && !set(NAMES[i], value)) {
            fprintf(stderr, "CUDA stand-in: %s makes no sense: %s\n", variable, value);
            abort();
        }
    }
}

/* Changes a setting; returns whether name and value make sense. Counting for FAIL begins anew. */
EXPORT int standin_set(const char *name, const char *value) {
    pthread_mutex_lock(&standin_lock);
    bool good = set(name, value);
    pthread_mutex_unlock(&standin_lock);
    return good;
}

/* ---- calls ---- */

static int failing(const char *function) {
    int status = OK;
    for (struct failure *each = failures; each < failures + MAX_FAILURES && each->at != 0; each++) {
        if (strcmp(each->function, function) == 0) {
            each->calls++;
            if (each->calls == each->at || (each->after && each->calls > each->at)) {
                status = each->status;
            }
        }
    }
    return status;
}

int standin_query(const char *function) {
    pthread_mutex_lock(&standin_lock);
    if (traced >= 0 && traced < MAX_TRACE) {
        trace[traced++] = function;
    }
    int status = failing(function);
    pthread_mutex_unlock(&standin_lock);
    return status;
}

int standin_call(const char *function) {
    int status = standin_query(function);
    if (status == OK) {
        pthread_mutex_lock(&standin_lock);
        status = standin_lost;
        pthread_mutex_unlock(&standin_lock);
    }
    return status;
}

/* ---- captures: only what other threads' calls do to one ---- */

enum { CAPTURE_GLOBAL = 0, CAPTURE_RELAXED = 2 };

static _Thread_local int capture_mode = CAPTURE_GLOBAL;
static bool capturing, capture_spoilt;

int standin_exchange_capture_mode(int mode) {
    int before = capture_mode;
    capture_mode = mode;
    return before;
}

int standin_unsafe_call(const char *function) {
    int status = standin_call(function);
    pthread_mutex_lock(&standin_lock);
    if (status == OK && capturing && capture_mode != CAPTURE_RELAXED) {
        capture_spoilt = true;
        status = CAPTURE_UNSUPPORTED;
    }
    pthread_mutex_unlock(&standin_lock);
    return status;
}

/* Begins a capture in the global mode, as a thread of the application would, or ends it; returns whether another call has spoilt it. */
EXPORT int standin_capture(int on) {
    pthread_mutex_lock(&standin_lock);
    bool spoilt = capture_spoilt;
    capturing = on != 0;
    capture_spoilt = false;
    pthread_mutex_unlock(&standin_lock);
    return spoilt;
}

int standin_operation(void) {
    int status = failing("operation");
    if (status != OK) {
        standin_lost = status;
    }
    return standin_lost;
}

/* ---- texts for the test ---- */

static void add_text(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(text + text_length, TEXT_BYTES - text_length, format, arguments);
    va_end(arguments);
    if (written > 0 && text_length + (size_t)written < TEXT_BYTES) {
        text_length += (size_t)written;
    }
}

static void begin_text(void) {
    text_length = 0;
    text[0] = '\0';
}

/* Begins to keep the names of the functions called, from none; 0 stops it. */
EXPORT void standin_trace(int on) {
    pthread_mutex_lock(&standin_lock);
    traced = on ? 0 : -1;
    pthread_mutex_unlock(&standin_lock);
}

/* The names of the functions called since, a line each. The text is good until the next function that returns one. */
EXPORT const char *standin_traced(void) {
    pthread_mutex_lock(&standin_lock);
    begin_text();
    for (int i = 0; i < traced; i++) {
        add_text("%s\n", trace[i]);
    }
    pthread_mutex_unlock(&standin_lock);
    return text;
}

/* What was made or opened and not let go of, a line each. The text is good until the next function that returns one. */
EXPORT const char *standin_remains(void) {
    pthread_mutex_lock(&standin_lock);
    begin_text();
    memory_remains(add_text);
    stream_remains(add_text);
    pthread_mutex_unlock(&standin_lock);
    return text;
}

/* Loses the device: every later call gives this status, and what is queued is not done. */
EXPORT void standin_lose(int status) {
    pthread_mutex_lock(&standin_lock);
    standin_lost = status;
    pthread_cond_broadcast(&standin_changed);
    pthread_mutex_unlock(&standin_lock);
}

/* Brings a lost device back, as a new process would find it: without anything that this one had there. */
EXPORT void standin_recover(void) {
    pthread_mutex_lock(&standin_lock);
    if (standin_lost != OK) {
        stream_forget();
        memory_forget();
        standin_lost = OK;
    }
    pthread_mutex_unlock(&standin_lock);
}

/* ---- names of statuses ---- */

static const struct {
    int status;
    const char *runtime, *driver, *text;
} STATUSES[] = {
        {OK, "cudaSuccess", "CUDA_SUCCESS", "no error"},
        {INVALID_VALUE, "cudaErrorInvalidValue", "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
        {OUT_OF_MEMORY, "cudaErrorMemoryAllocation", "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
        {NOT_INITIALIZED, "cudaErrorInitializationError", "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
        {INVALID_PITCH, "cudaErrorInvalidPitchValue", NULL, "invalid pitch argument"},
        {35, "cudaErrorInsufficientDriver", NULL, "CUDA driver version is insufficient for CUDA runtime version"},
        {NO_DEVICE, "cudaErrorNoDevice", "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
        {INVALID_DEVICE, "cudaErrorInvalidDevice", "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
        {INVALID_CONTEXT, "cudaErrorDeviceUninitialized", "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
        {MAPPING_FAILED, "cudaErrorMapBufferObjectFailed", "CUDA_ERROR_MAP_FAILED", "mapping of buffer object failed"},
        {OPERATING_SYSTEM, "cudaErrorOperatingSystem", "CUDA_ERROR_OPERATING_SYSTEM", "OS call failed or operation not supported on this OS"},
        {INVALID_HANDLE, "cudaErrorInvalidResourceHandle", "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
        {NOT_FOUND, "cudaErrorSymbolNotFound", "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
        {NOT_READY, "cudaErrorNotReady", "CUDA_ERROR_NOT_READY", "device not ready"},
        {ILLEGAL_ADDRESS, "cudaErrorIllegalAddress", "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
        {ALREADY_REGISTERED, "cudaErrorHostMemoryAlreadyRegistered", "CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED",
         "part or all of the requested memory range is already mapped"},
        {NOT_REGISTERED, "cudaErrorHostMemoryNotRegistered", "CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED",
         "pointer does not correspond to a registered memory region"},
        {CAPTURE_UNSUPPORTED, "cudaErrorStreamCaptureUnsupported", "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
         "operation not permitted when stream is capturing"},
        {719, "cudaErrorLaunchFailure", "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
        {NOT_SUPPORTED, "cudaErrorNotSupported", "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
        {803, "cudaErrorSystemDriverMismatch", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "system has unsupported display driver / cuda driver combination"},
        {999, "cudaErrorUnknown", "CUDA_ERROR_UNKNOWN", "unknown error"},
};

const char *standin_error_name(int status, bool runtime) {
    for (size_t i = 0; i < sizeof STATUSES / sizeof *STATUSES; i++) {
        if (STATUSES[i].status == status) {
            return runtime ? STATUSES[i].runtime : STATUSES[i].driver;
        }
    }
    return NULL;
}

const char *standin_error_text(int status) {
    for (size_t i = 0; i < sizeof STATUSES / sizeof *STATUSES; i++) {
        if (STATUSES[i].status == status) {
            return STATUSES[i].text;
        }
    }
    return NULL;
}
