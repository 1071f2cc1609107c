/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Streams. Each is a queue with a thread of its own that takes one operation after the other: later than the call that queued it, and as much
 * later as DELAY_US and JITTER_US say. What an operation reads, it reads then. The thread ends with its stream; those of the default streams,
 * and whatever is queued when the process exits, end with the process.
 */
#define _GNU_SOURCE
#include "standin.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { STACK_BYTES = 256 << 10, POLL_NANOS = 100000, NANOS_PER_SECOND = 1000000000 };

/* Handles that stand for streams of the current device. */
enum { DEFAULT_STREAM = 0, LEGACY_STREAM = 1, PER_THREAD_STREAM = 2 };

struct stream {
    struct stream *next;
    int device;
    bool other;    /* of the device's other context */
    bool blocking; /* waits for the legacy default stream, and that for it */
    bool named;    /* made by a caller, who is to destroy it */
    bool destroyed, started;
    struct operation *first, **last;
    uint64_t queued, done; /* operations */
    uint64_t random;
    unsigned credits; /* operations it may begin while the streams are held */
};

struct event {
    struct event *next;
    int device;
    bool other; /* of the device's other context */
    bool timed, destroyed;
    struct stream *on;  /* the stream it was recorded on last; NULL: it was not */
    uint64_t at;        /* the operation of that stream that this is */
    uint64_t recorded, completed; /* the record queued last, the one done last */
    int64_t nanos;                /* when that was */
};

/* Streams and events stay in memory once destroyed, so that whoever waits for one may look at it. */
static struct stream *streams;
static struct event *events;
static _Thread_local struct stream *per_thread[MAX_DEVICES];
static bool held; /* the streams begin nothing but what standin_step allows */

static int64_t now_nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NANOS_PER_SECOND + now.tv_nsec;
}

/* ---- doing an operation ---- */

static void fault(int status) {
    if (standin_lost == OK) {
        standin_lost = status;
    }
}

/* Plain host memory may be gone by now: the kernel looks, so that this is an illegal address and not a crash. */
static bool copy_bytes(char *to, const char *from, size_t bytes, bool checked) {
    if (checked) {
        struct iovec target = {to, bytes};
        struct iovec source = {(void *)from, bytes};
        ssize_t copied = process_vm_readv(getpid(), &target, 1, &source, 1, 0);
        if (copied >= 0 || (errno != EPERM && errno != ENOSYS)) { /* forbidden in some sandboxes */
            return copied == (ssize_t)bytes;
        }
    }
    memmove(to, from, bytes);
    return true;
}

static bool do_rows(const struct operation *o, char *to, const char *from, bool checked, uint64_t begin, uint64_t end) {
    for (uint64_t row = begin; row < end; row++) {
        if (o->kind == FILL) {
            memset(to + row * o->to_pitch, (int)o->value, o->width);
        } else if (!copy_bytes(to + row * o->to_pitch, from + row * o->from_pitch, o->width, checked)) {
            return false;
        }
    }
    return true;
}

static void pause_stream(struct stream *stream) {
    unsigned delay = standin_settings.delay_us;
    if (standin_settings.jitter_us > 0) {
        stream->random ^= stream->random << 13; /* xorshift64 */
        stream->random ^= stream->random >> 7;
        stream->random ^= stream->random << 17;
        delay += (unsigned)(stream->random % (standin_settings.jitter_us + 1));
    }
    if (delay > 0) {
        struct timespec time = {delay / 1000000, (long)(delay % 1000000) * 1000};
        clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
    }
}

static bool has_rows(const struct operation *o) {
    return o->kind == COPY || o->kind == FILL;
}

static uint64_t extent(const struct operation *o, uint64_t pitch) {
    return pitch * (o->rows - 1) + o->width;
}

/* Finds what the operation reads and writes; what it needs must be there when it is queued and still be when it begins. */
static int find_places(const struct operation *o, int device, struct place *to, struct place *from) {
    *to = *from = (struct place){0};
    if (o->kind == WRITE || o->kind == AFTER_VALUE) {
        int status = place_find(o->to, o->bytes, o->kind == WRITE, device, to);
        return status != OK ? status : to->memory == NULL ? INVALID_VALUE : OK; /* plain host memory is out of its reach */
    }
    if (!has_rows(o)) {
        return OK;
    }
    int status = place_find(o->to, extent(o, o->to_pitch), true, device, to);
    if (status == OK && o->kind == FILL && to->memory == NULL) {
        return INVALID_VALUE;
    }
    return status != OK || o->kind == FILL ? status : place_find(o->from, extent(o, o->from_pitch), false, device, from);
}

/* The pixels move in two halves with a pause between them, so that who looks too early sees half a frame. Not under the lock. */
static bool move(struct stream *stream, const struct operation *o, struct place *to, struct place *from) {
    bool checked = o->kind == COPY && (to->memory == NULL || from->memory == NULL);
    uint64_t half = o->rows / 2;
    if (!do_rows(o, to->at, from->at, checked, 0, half)) {
        return false;
    }
    pause_stream(stream);
    return do_rows(o, to->at, from->at, checked, half, o->rows);
}

static void write_value(const struct operation *o, char *at) {
    atomic_thread_fence(memory_order_seq_cst); /* all earlier work of the stream, for the whole system */
    if (o->bytes == sizeof(uint64_t)) {
        atomic_store_explicit((_Atomic uint64_t *)at, o->value, memory_order_relaxed);
    } else {
        atomic_store_explicit((_Atomic uint32_t *)at, (uint32_t)o->value, memory_order_relaxed);
    }
}

/* Under the lock, which is open while the operation works. */
static void perform(struct stream *stream, struct operation *o) {
    struct place to, from;
    pthread_mutex_unlock(&standin_lock);
    pause_stream(stream);
    pthread_mutex_lock(&standin_lock);
    if (standin_operation() != OK) {
        return;
    }
    if (find_places(o, stream->device, &to, &from) != OK) {
        fault(ILLEGAL_ADDRESS); /* it was there when the call was made */
        return;
    }
    place_begin(&to);
    place_begin(&from);
    bool good = true;
    pthread_mutex_unlock(&standin_lock);
    if (has_rows(o)) {
        good = move(stream, o, &to, &from);
    } else if (o->kind == WRITE) {
        write_value(o, to.at);
    }
    pthread_mutex_lock(&standin_lock);
    place_end(&from);
    place_end(&to);
    if (!good) {
        fault(ILLEGAL_ADDRESS);
    } else if (o->kind == RECORD) {
        if (o->number > o->event->completed) { /* recorded anew meanwhile, on a faster stream: the latest counts */
            o->event->completed = o->number;
            o->event->nanos = now_nanos();
        }
    }
}

/* ---- the threads ---- */

static bool waits(const struct operation *o) {
    return o->kind == AFTER_EVENT || o->kind == AFTER_STREAM || o->kind == AFTER_VALUE;
}

static bool value_is_there(const struct operation *o, int device) {
    struct place to, from;
    if (find_places(o, device, &to, &from) != OK) {
        fault(ILLEGAL_ADDRESS);
        return true;
    }
    uint64_t value = atomic_load_explicit((_Atomic uint64_t *)to.at, memory_order_acquire);
    switch (o->flags & 3) {
        case 0: return (int64_t)(value - o->value) >= 0;
        case 1: return value == o->value;
        case 2: return (value & o->value) != 0;
        default: return ~(value | o->value) != 0;
    }
}

/* Whether the first operation can begin, which a wait then has already ended. */
static bool is_due(struct stream *stream) {
    struct operation *o = stream->first;
    if (o == NULL) {
        return false;
    }
    if (standin_lost != OK) {
        return true;
    }
    switch (o->kind) {
        case AFTER_EVENT: /* which record it is was settled by the call, whatever the event is recorded for since */
        case AFTER_STREAM: return o->stream->done >= o->number;
        case AFTER_VALUE: return value_is_there(o, stream->device);
        default: return true;
    }
}

static bool may_begin(struct stream *stream) {
    return is_due(stream) && (waits(stream->first) || !held || stream->credits > 0 || standin_lost != OK);
}

static void wait_for_change(struct stream *stream) {
    if (stream->first == NULL || stream->first->kind != AFTER_VALUE) {
        pthread_cond_wait(&standin_changed, &standin_lock);
        return;
    }
    int64_t until = now_nanos() + POLL_NANOS; /* another process may write the value */
    struct timespec time = {until / NANOS_PER_SECOND, until % NANOS_PER_SECOND};
    pthread_cond_clockwait(&standin_changed, &standin_lock, CLOCK_MONOTONIC, &time);
}

static void *work(void *argument) {
    struct stream *stream = argument;
    prctl(PR_SET_NAME, "cuda-standin");
    prctl(PR_SET_TIMERSLACK, 1);
    pthread_mutex_lock(&standin_lock);
    while (stream->first != NULL || !stream->destroyed) {
        if (!may_begin(stream)) {
            wait_for_change(stream);
            continue;
        }
        struct operation *o = stream->first;
        if (!waits(o) && standin_lost == OK) {
            stream->credits -= held && stream->credits > 0;
            perform(stream, o);
        }
        stream->first = o->next;
        if (stream->first == NULL) {
            stream->last = &stream->first;
        }
        stream->done++;
        free(o);
        pthread_cond_broadcast(&standin_changed);
    }
    pthread_mutex_unlock(&standin_lock);
    return NULL;
}

/* With every signal blocked: they are the host program's. */
static bool start(struct stream *stream) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    stream->started = pthread_create(&thread, &attributes, work, stream) == 0;
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return stream->started;
}

/* ---- finding streams ---- */

static struct stream *add_stream(int device, bool blocking, bool named) {
    static uint64_t count;
    struct stream *stream = calloc(1, sizeof *stream);
    uint64_t random = (standin_settings.seed + ++count) * UINT64_C(0x9e3779b97f4a7c15);
    *stream = (struct stream){
            .next = streams, .device = device, .blocking = blocking, .named = named, .random = random | 1};
    stream->last = &stream->first;
    streams = stream;
    return stream;
}

static struct stream *legacy_of(int device) {
    static struct stream *made[MAX_DEVICES];
    if (made[device] == NULL) {
        made[device] = add_stream(device, false, false);
    }
    return made[device];
}

static struct stream *find(uintptr_t handle) {
    int device = device_current();
    if (handle == DEFAULT_STREAM || handle == LEGACY_STREAM) {
        return legacy_of(device);
    }
    if (handle == PER_THREAD_STREAM) {
        if (per_thread[device] == NULL) {
            per_thread[device] = add_stream(device, true, false);
        }
        return per_thread[device];
    }
    for (struct stream *each = streams; each != NULL; each = each->next) {
        if ((uintptr_t)each == handle && !each->destroyed) {
            return each;
        }
    }
    return NULL;
}

int stream_create(int device, bool blocking, uintptr_t *handle) {
    struct stream *stream = add_stream(device, blocking, true);
    stream->other = device_other();
    *handle = (uintptr_t)stream;
    return OK;
}

bool stream_other(uintptr_t handle) {
    struct stream *stream = find(handle);
    return stream != NULL && stream->other;
}

int stream_device(uintptr_t handle, int *device) {
    struct stream *stream = find(handle);
    if (stream == NULL) {
        return INVALID_HANDLE;
    }
    *device = stream->device;
    return OK;
}

int stream_destroy(uintptr_t handle) {
    struct stream *stream = find(handle);
    if (stream == NULL || !stream->named) {
        return INVALID_HANDLE;
    }
    stream->destroyed = true; /* what is queued is still done */
    pthread_cond_broadcast(&standin_changed);
    return OK;
}

/* ---- queueing ---- */

static void append(struct stream *stream, const struct operation *operation) {
    struct operation *o = malloc(sizeof *o);
    *o = *operation;
    o->next = NULL;
    *stream->last = o;
    stream->last = &o->next;
    stream->queued++;
}

static void append_wait(struct stream *stream, struct stream *other) {
    if (other->done < other->queued) {
        append(stream, &(struct operation){.kind = AFTER_STREAM, .stream = other, .number = other->queued});
    }
}

/* The legacy default stream and the blocking streams of a device wait for what was queued on the other before. */
static void append_implied_waits(struct stream *stream) {
    struct stream *default_stream = legacy_of(stream->device);
    if (stream->blocking) {
        append_wait(stream, default_stream);
    } else if (stream == default_stream) {
        for (struct stream *each = streams; each != NULL; each = each->next) {
            if (each->blocking && each->device == stream->device) {
                append_wait(stream, each);
            }
        }
    }
}

static int await_done(struct stream *stream, uint64_t number) {
    while (stream->done < number && standin_lost == OK) {
        pthread_cond_wait(&standin_changed, &standin_lock);
    }
    return standin_lost;
}

int stream_submit(uintptr_t handle, const struct operation *operation, bool wait) {
    struct stream *stream = find(handle);
    if (stream == NULL) {
        return INVALID_HANDLE;
    }
    struct place to, from;
    if (has_rows(operation) && (operation->width == 0 || operation->rows == 0)) {
        return OK;
    }
    int status = find_places(operation, stream->device, &to, &from);
    if (status != OK) {
        return status;
    }
    if (!stream->started && !start(stream)) {
        return OPERATING_SYSTEM;
    }
    append_implied_waits(stream);
    append(stream, operation);
    pthread_cond_broadcast(&standin_changed);
    return wait ? await_done(stream, stream->queued) : OK;
}

/* As CUDA does, it does not survive the handle of a stream that was destroyed. */
int stream_query(uintptr_t handle) {
    struct stream *stream = find(handle);
    if (stream == NULL) {
        fprintf(stderr, "cuda-standin: a stream that is no more is queried: CUDA crashes there\n");
        abort();
    }
    return stream->done < stream->queued ? NOT_READY : OK;
}

int stream_await(uintptr_t handle) {
    struct stream *stream = find(handle);
    return stream == NULL ? INVALID_HANDLE : await_done(stream, stream->queued);
}

int stream_await_device(int device) {
    for (struct stream *each = streams; each != NULL; each = each->next) {
        if (each->device == device && await_done(each, each->queued) != OK) {
            break;
        }
    }
    return standin_lost;
}

void stream_await_release(void) {
    for (int device = 0; standin_settings.block && device_exists(device); device++) {
        stream_await_device(device);
    }
}

/* ---- events ---- */

static struct event *find_event(uintptr_t handle) {
    for (struct event *each = events; each != NULL; each = each->next) {
        if ((uintptr_t)each == handle && !each->destroyed) {
            return each;
        }
    }
    return NULL;
}

int event_create(int device, bool timed, uintptr_t *handle) {
    struct event *event = calloc(1, sizeof *event);
    *event = (struct event){.next = events, .device = device, .other = device_other(), .timed = timed};
    events = event;
    *handle = (uintptr_t)event;
    return OK;
}

int event_destroy(uintptr_t handle) {
    struct event *event = find_event(handle);
    if (event == NULL) {
        return INVALID_HANDLE;
    }
    event->destroyed = true;
    return OK;
}

int event_record(uintptr_t handle, uintptr_t stream) {
    struct event *event = find_event(handle);
    struct stream *on = find(stream);
    if (event == NULL || on == NULL || event->device != on->device || event->other != on->other) {
        return INVALID_HANDLE; /* an event belongs to a context */
    }
    struct operation record = {.kind = RECORD, .event = event, .number = event->recorded + 1};
    int status = stream_submit(stream, &record, false);
    if (status == OK) {
        event->recorded++;
        event->on = on;
        event->at = on->queued;
    }
    return status;
}

/* Waits for the record that was queued last by now, not for later ones; an event that was never recorded is complete. */
int event_wait(uintptr_t stream, uintptr_t handle) {
    struct event *event = find_event(handle);
    if (event == NULL) {
        return INVALID_HANDLE;
    }
    if (event->on == NULL) {
        return find(stream) == NULL ? INVALID_HANDLE : OK;
    }
    struct operation wait = {.kind = AFTER_EVENT, .stream = event->on, .number = event->at};
    return stream_submit(stream, &wait, false);
}

int event_query(uintptr_t handle) {
    struct event *event = find_event(handle);
    return event == NULL ? INVALID_HANDLE : event->on != NULL && event->on->done < event->at ? NOT_READY : OK;
}

int event_await(uintptr_t handle) {
    struct event *event = find_event(handle);
    if (event == NULL) {
        return INVALID_HANDLE;
    }
    return event->on == NULL ? standin_lost : await_done(event->on, event->at);
}

int event_elapsed(uintptr_t begin, uintptr_t end, float *ms) {
    struct event *first = find_event(begin), *second = find_event(end);
    if (first == NULL || second == NULL || !first->timed || !second->timed || first->recorded == 0
            || second->recorded == 0) {
        return INVALID_HANDLE;
    }
    if (first->completed < first->recorded || second->completed < second->recorded) {
        return NOT_READY;
    }
    *ms = (float)((double)(second->nanos - first->nanos) / 1e6);
    return OK;
}

/* ---- for tests ---- */

/* From here on the streams begin nothing but what standin_step allows; 0 lets them go on. */
EXPORT void standin_hold(int on) {
    pthread_mutex_lock(&standin_lock);
    held = on != 0;
    for (struct stream *each = streams; each != NULL; each = each->next) {
        each->credits = 0;
    }
    pthread_cond_broadcast(&standin_changed);
    pthread_mutex_unlock(&standin_lock);
}

/* Has a held stream do one operation and waits for it, waits between streams not counted; returns whether there was one that could begin. */
EXPORT int standin_step(uintptr_t handle) {
    pthread_mutex_lock(&standin_lock);
    struct stream *stream = find(handle);
    while (stream != NULL && stream->first != NULL && waits(stream->first) && is_due(stream)) {
        pthread_cond_wait(&standin_changed, &standin_lock); /* it ends by itself */
    }
    bool due = stream != NULL && stream->first != NULL && is_due(stream);
    if (due) {
        stream->credits++;
        pthread_cond_broadcast(&standin_changed);
        await_done(stream, stream->done + 1);
    }
    pthread_mutex_unlock(&standin_lock);
    return due;
}

/* Makes a stream of the current device, in a context that is not its primary one; to be destroyed as others are. */
EXPORT uintptr_t standin_stream_of_other_context(void) {
    pthread_mutex_lock(&standin_lock);
    struct stream *stream = add_stream(device_current(), false, true);
    stream->other = true;
    pthread_mutex_unlock(&standin_lock);
    return (uintptr_t)stream;
}

/* The stream that was made last and is not destroyed: for a test that wants to step one of the library's own. */
EXPORT uintptr_t standin_newest_stream(void) {
    pthread_mutex_lock(&standin_lock);
    struct stream *each = streams;
    while (each != NULL && (!each->named || each->destroyed)) {
        each = each->next;
    }
    pthread_mutex_unlock(&standin_lock);
    return (uintptr_t)each;
}

void stream_forget(void) {
    for (struct stream *each = streams; each != NULL; each = each->next) {
        while (each->done < each->queued) {
            pthread_cond_wait(&standin_changed, &standin_lock);
        }
        each->destroyed = each->named;
    }
    for (struct event *each = events; each != NULL; each = each->next) {
        each->destroyed = true;
    }
    pthread_cond_broadcast(&standin_changed);
}

void stream_remains(standin_writer *write) {
    for (struct stream *each = streams; each != NULL; each = each->next) {
        if (each->named && !each->destroyed) {
            write("stream 0x%" PRIxPTR " on device %d\n", (uintptr_t)each, each->device);
        } else if (each->done < each->queued) {
            write("%" PRIu64 " operations of a stream that is destroyed or a default one\n", each->queued - each->done);
        }
    }
    for (struct event *each = events; each != NULL; each = each->next) {
        if (!each->destroyed) {
            write("event 0x%" PRIxPTR " on device %d\n", (uintptr_t)each, each->device);
        }
    }
}
