/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A stand-in for CUDA: one library that has the functions of libcudart and libcuda which cuframes binds, for tests on machines without a GPU.
 * It keeps what the ring depends on. Streams are queues that other threads work off later, each in its order; device memory can be opened by
 * other processes and cannot be touched by the CPU; the "GPU" writes into registered host memory; a pointer, stream or handle that is not
 * what it must be is refused with CUDA's own status. Where CUDA leaves two behaviours open, this takes the one that a careless caller does
 * not survive: freeing memory and unregistering pages do not wait for work that still uses them, unless BLOCK is set.
 *
 * Environment, read when the library is loaded; standin_set changes the same by name, without the prefix CUFRAMES_STANDIN_:
 *
 *   CUFRAMES_STANDIN_DEVICES    how many devices there are, 0 to 8 (1)
 *   CUFRAMES_STANDIN_VISIBLE    which of them this process sees and in which order, as CUDA_VISIBLE_DEVICES does: "1,0" (all)
 *   CUFRAMES_STANDIN_MEMORY     bytes of each device's memory (8 GiB)
 *   CUFRAMES_STANDIN_DELAY_US   how long each operation of a stream takes to begin (0)
 *   CUFRAMES_STANDIN_JITTER_US  up to so much longer, at random (0)
 *   CUFRAMES_STANDIN_SEED       of that random (1)
 *   CUFRAMES_STANDIN_LAX        1: device memory that is mapped for reading alone can be written all the same (0)
 *   CUFRAMES_STANDIN_BLOCK      1: freeing, unmapping, unregistering and closing memory wait for all that is queued on the devices (0). A driver
 *                               of CUDA 13 waits as it unregisters or frees, whatever the work is, and does not as it unmaps
 *   CUFRAMES_STANDIN_FAIL       what fails: "cudaMalloc:2:700" gives the second call of cudaMalloc status 700, "cudaMalloc:2+:700" that call
 *                               and all later ones; several are separated by commas. "operation:5:700" loses the device, with that status,
 *                               at the fifth operation that a stream begins
 */
#ifndef CUDA_STANDIN_H
#define CUDA_STANDIN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

enum { MAX_DEVICES = 8, UUID_LENGTH = 16 };

/* cudaError_t and CUresult share these numbers. */
enum status {
    OK = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NOT_INITIALIZED = 3,
    INVALID_PITCH = 12,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_CONTEXT = 201,
    MAPPING_FAILED = 205,
    OPERATING_SYSTEM = 304,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    NOT_READY = 600,
    ILLEGAL_ADDRESS = 700,
    CAPTURE_UNSUPPORTED = 900,
    ALREADY_REGISTERED = 712,
    NOT_REGISTERED = 713,
    NOT_SUPPORTED = 801
};

/* Every table below, every queue and every setting is guarded by this one lock; the condition is signalled at each change. */
extern pthread_mutex_t standin_lock;
extern pthread_cond_t standin_changed;

/* The status that every later call gives once the device is lost; OK until then. */
extern int standin_lost;

/* ---- control.c: settings, failures on demand, the trace ---- */

struct settings {
    int devices;
    int visible[MAX_DEVICES]; /* the device behind each ordinal of this process */
    uint64_t memory;
    unsigned delay_us, jitter_us;
    uint64_t seed;
    bool lax;   /* what is mapped for reading alone can be written */
    bool block; /* releasing waits for the devices */
};

extern struct settings standin_settings;

/* What a call begins with: counts and traces it; returns the status it is to fail with, or OK. */
int standin_call(const char *function);

/* The same for calls that a lost device does not fail. */
int standin_query(const char *function);

/*
 * The same for calls that a capture in the global mode, of whatever thread, does not survive unless their own thread is in the relaxed mode: they
 * fail then, and the capture with them.
 */
int standin_unsafe_call(const char *function);

/* The mode that this thread takes; returns the one before. */
int standin_exchange_capture_mode(int mode);

/* The same for a stream's operation, under the lock. */
int standin_operation(void);

const char *standin_error_name(int status, bool runtime);
const char *standin_error_text(int status);

/* ---- device.c: devices and what is current on a thread ---- */

bool device_exists(int ordinal);
void device_uuid(int ordinal, unsigned char *uuid);
int device_ordinal(const unsigned char *uuid); /* -1 where this process does not see it */

/* The thread's current device; where the thread has none, the runtime takes the first. */
int device_current(void);
void device_use(int ordinal);
void device_use_other(int ordinal); /* its other context: as if made by cuCtxCreate */
bool device_other(void);
bool device_chosen(void); /* whether a context is current on this thread */
void device_unuse(void);
extern const char *const device_name;

/* Whether cuInit was called, which the runtime's functions do by themselves. */
void device_initialize(void);
bool device_initialized(void);

/* ---- memory.c: what addresses lead to ---- */

enum memory_kind { ALLOCATED, OPENED, MAPPED, REGISTERED, PINNED };

/* Memory that CUDA knows. */
struct memory {
    struct memory *next;
    enum memory_kind kind;
    uint64_t id;
    uint64_t address; /* as callers know it; device memory is not readable there */
    size_t size;
    char *alias; /* where this library reads and writes it; NULL: at the address */
    char *alias_pages;
    size_t alias_length;
    int device;
    int file;                   /* ALLOCATED: the memfd */
    int access[MAX_DEVICES];    /* MAPPED: PROT_ flags of each device */
    unsigned opens;             /* OPENED: how often */
    unsigned users;             /* operations under way */
    bool dead;                  /* let go of while in use */
    unsigned char handle[64];   /* OPENED: what it was opened by */
};

/* A range that an operation is to use. */
struct place {
    struct memory *memory; /* NULL: plain host memory */
    char *at;
};

bool address_is_device(uint64_t address);
int place_find(uint64_t address, size_t length, bool write, int device, struct place *place);
void place_begin(struct place *place);
void place_end(struct place *place);
struct memory *memory_at(uint64_t address); /* that holds the address; NULL if none does */

int memory_allocate(int device, size_t size, uint64_t *address);
int memory_free(uint64_t address);
uint64_t memory_used(int device);
int memory_export(uint64_t address, unsigned char *handle);
int memory_open(const unsigned char *handle, uint64_t *address);
int memory_close(uint64_t address);
int memory_register(uint64_t address, size_t size, bool read_only);
int memory_unregister(uint64_t address);
int memory_pin(size_t size, uint64_t *address);
int memory_unpin(uint64_t address);

enum { GRANULARITY = 2 << 20 };

int vmm_create(int device, size_t size, bool exportable, uint64_t *handle);
int vmm_release(uint64_t handle);
int vmm_export(uint64_t handle, int *file);
int vmm_import(int file, uint64_t *handle);
int vmm_reserve(size_t size, size_t alignment, uint64_t *address);
int vmm_unreserve(uint64_t address, size_t size);
int vmm_map(uint64_t address, size_t size, size_t offset, uint64_t handle);
int vmm_unmap(uint64_t address, size_t size);
int vmm_set_access(uint64_t address, size_t size, int device, int protection);

/* One line for each thing that is still held, under the lock. */
typedef void standin_writer(const char *format, ...) __attribute__((format(printf, 1, 2)));
void memory_remains(standin_writer *write);

/* Drops everything. */
void memory_forget(void);

/* ---- stream.c: queues, events, and the threads that work ---- */

enum operation_kind { COPY, FILL, WRITE, RECORD, AFTER_EVENT, AFTER_STREAM, AFTER_VALUE };

struct stream;
struct event;

struct operation {
    struct operation *next;
    enum operation_kind kind;
    uint64_t to, to_pitch, from, from_pitch, width, rows; /* COPY, FILL; WRITE, AFTER_VALUE: to */
    uint64_t value;                                       /* FILL, WRITE, AFTER_VALUE */
    unsigned bytes, flags;                                /* WRITE, AFTER_VALUE */
    struct event *event;                                  /* RECORD */
    struct stream *stream;                                /* AFTER_EVENT, AFTER_STREAM */
    uint64_t number;                                      /* RECORD: which; AFTER_EVENT, AFTER_STREAM: which operation of the stream */
};

int stream_create(int device, bool blocking, uintptr_t *handle);
int stream_device(uintptr_t handle, int *device);
bool stream_other(uintptr_t handle); /* whether it is of its device's other context */
int stream_destroy(uintptr_t handle);
int stream_submit(uintptr_t handle, const struct operation *operation, bool wait);
int stream_query(uintptr_t handle);
int stream_await(uintptr_t handle);
int stream_await_device(int device);

/* What a call does that releases memory, before it does: waits for the devices where BLOCK says so. */
void stream_await_release(void);

int event_create(int device, bool timed, uintptr_t *handle);
int event_destroy(uintptr_t handle);
int event_record(uintptr_t handle, uintptr_t stream);
int event_wait(uintptr_t stream, uintptr_t handle);
int event_query(uintptr_t handle);
int event_await(uintptr_t handle);
int event_elapsed(uintptr_t begin, uintptr_t end, float *ms);

void stream_remains(standin_writer *write);

/* Destroys all that callers have made, once the streams of a lost device are empty. */
void stream_forget(void);

#endif
