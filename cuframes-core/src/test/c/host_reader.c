/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A reader of HOST streams, written from docs/protocol.md alone; "section" in the comments below is a section of that document.
 *
 * usage: host_reader [-m newest|strict] [-n frames] [-h hold_ms] [-t timeout_ms] [-V major] [-v minor] <socket>
 *
 * -m how frames are read (newest); -n ends after so many (0: no limit); -h keeps each leased so long, then looks whether its bytes are
 * still the same (0); -t how long to wait for the publisher, and then for each frame (5000); -V the major version to claim in HELLO (1);
 * -v the minor one (1).
 * On standard output, one line each:
 *
 *   CONNECTED subscriber S slots N max_leases L
 *   seq slot pts width height pitch checksum-of-plane-0 checksum-of-plane-1 ...
 *   CHANGED seq                                  the frame changed while it was leased: must not be
 *   REJECT code major.minor text                 exit status 2
 *   received N missed M damaged D end=ENDED|DIED|TIMEOUT|LIMIT
 *
 * Exit status 1: the peer broke the protocol, or the system refused something; the reason is on standard error.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <sched.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the protocol is little-endian and this reader does not swap"
#endif
_Static_assert(sizeof(_Atomic uint64_t) == 8 && ATOMIC_LLONG_LOCK_FREE == 2, "64-bit words must be plain and lock-free");
_Static_assert(sizeof(_Atomic uint32_t) == 4 && ATOMIC_INT_LOCK_FREE == 2, "32-bit words must be plain and lock-free");

/* Section 3: the segment. */
enum {
    SEG_STATE = 12, SEG_LENGTH = 16, SEG_EPOCH = 24, SEG_TRANSPORT = 36, SEG_SLOTS = 48, SEG_INDEX_ENTRIES = 52,
    SEG_FORMAT = 56, SEG_PLANES = 60, SEG_WIDTH = 64, SEG_HEIGHT = 68, SEG_OWNERSHIP = 76, SEG_FRAME_BYTES = 80, SEG_SLOT_STRIDE = 88,
    SEG_RING_LENGTH = 96, SEG_PLANE = 192, SEG_HEAD = 512, SEG_PUBLISHED = 640, SEG_IDLE_AFTER = 688, SEG_INDEX = 1024, SEG_SLOT = 2048,
    PLANE_SIZE = 32, SLOT_SIZE = 512, INDEX_ENTRIES = 128, MAX_SLOTS = 64, MAX_SIDE = 16384,
    SLOT_PTS = 8, SLOT_FLAGS = 32, FLAG_DAMAGED = 8, SLOT_OFFSET = 64, SLOT_LENGTH = 72,
    STATE_READY = 1, STATE_ENDED = 2, TRANSPORT_HOST = 1, LIBRARY = 1, EXTERNAL = 2, LIBRARY_ALIGNMENT = 256, MAX_PLANES = 3
};

/* Section 3.2, by code: the bytes of a component; of each plane, what the frame's sides are divided by and the components of a sample. */
static const struct format {
    uint32_t component_bytes, planes;
    struct { uint32_t divisor, components; } plane[MAX_PLANES];
} FORMATS[] = {
    [1] = {1, 2, {{1, 1}, {2, 2}}},         /* NV12 */
    [2] = {2, 2, {{1, 1}, {2, 2}}},         /* P010 */
    [3] = {1, 3, {{1, 1}, {2, 1}, {2, 1}}}, /* YUV420P */
    [4] = {1, 3, {{1, 1}, {1, 1}, {1, 1}}}, /* YUV444P */
    [5] = {1, 1, {{1, 3}}},                 /* RGB24 */
    [6] = {1, 1, {{1, 4}}},                 /* RGBA */
    [7] = {1, 1, {{1, 1}}},                 /* GRAY8 */
    [8] = {2, 1, {{1, 1}}},                 /* GRAY16 */
};

/* Section 4: the control page. */
enum {
    CTL_BYTES = 4096, CTL_SUBSCRIBER = 12, CTL_EPOCH = 16, CTL_CURSOR = 64, CTL_WAITING = 72, CTL_MODE = 76,
    CTL_RECEIVED = 80, CTL_MISSED = 88, CTL_TIMEOUTS = 96, CTL_LEASE = 512
};

/* Section 6: the socket. */
enum {
    HELLO = 1, WELCOME = 2, REJECT = 3, BYE = 4, READY = 5, HELLO_BYTES = 112, WELCOME_BYTES = 56, REJECT_BYTES = 20, BYE_BYTES = 16, READY_BYTES = 8,
    MESSAGE_MAX = 1024, TEXT_MAX = 512, DESCRIPTORS = 3, HANDSHAKE_MS = 2000
};

enum { MAJOR = 1, MINOR = 1, MODE_NEWEST = 1, MODE_STRICT = 2, LIVENESS_MS = 50 };

struct plane {
    uint64_t offset;
    uint32_t pitch, width, height, sample_bytes;
};

struct reader {
    int socket;
    const uint8_t *segment, *ring;
    uint8_t *control;
    uint32_t slots, planes, mode;
    struct plane plane[MAX_PLANES];
    uint64_t slot_offset[MAX_SLOTS];
    uint64_t cursor, received, missed, damaged;
    bool ended, died; /* what the segment's state and the socket have said */
    uint8_t bye[BYE_BYTES];
    size_t bye_bytes;
};

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("host_reader: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void require(bool good, const char *what) {
    if (!good) {
        fail("the publisher broke the protocol: %s", what);
    }
}

/* Fields of a message, and fields of the segment that never change. */
static uint16_t get16(const uint8_t *at) { uint16_t v; memcpy(&v, at, sizeof v); return v; }
static uint32_t get32(const uint8_t *at) { uint32_t v; memcpy(&v, at, sizeof v); return v; }
static uint64_t get64(const uint8_t *at) { uint64_t v; memcpy(&v, at, sizeof v); return v; }
static void put16(uint8_t *at, uint16_t v) { memcpy(at, &v, sizeof v); }
static void put32(uint8_t *at, uint32_t v) { memcpy(at, &v, sizeof v); }

/* Words that two processes share: loads acquire, stores release. Each is aligned as its type demands. */
typedef _Atomic uint32_t shared32;
typedef _Atomic uint64_t shared64;
static uint32_t load32(const void *at) { return atomic_load_explicit((const shared32 *)at, memory_order_acquire); }
static uint64_t load64(const void *at) { return atomic_load_explicit((const shared64 *)at, memory_order_acquire); }
static void store32(void *at, uint32_t v) { atomic_store_explicit((shared32 *)at, v, memory_order_release); }
static void store64(void *at, uint64_t v) { atomic_store_explicit((shared64 *)at, v, memory_order_release); }
static void fence(void) { atomic_thread_fence(memory_order_seq_cst); }

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void sleep_ms(int64_t ms) {
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

/* Reads exactly so many bytes; false at end-of-file or when the time is over. Descriptors that come along are appended. */
static bool receive(int socket, uint8_t *to, size_t bytes, int64_t deadline, int *fds, size_t *fd_count) {
    while (bytes > 0) {
        int64_t left = deadline - now_ms();
        struct pollfd ready = {.fd = socket, .events = POLLIN};
        if (left <= 0 || poll(&ready, 1, (int)left) == 0) {
            return false;
        }
        union { struct cmsghdr align; char bytes[CMSG_SPACE(DESCRIPTORS * sizeof(int))]; } extra;
        struct iovec piece = {.iov_base = to, .iov_len = bytes};
        struct msghdr message = {
            .msg_iov = &piece, .msg_iovlen = 1, .msg_control = extra.bytes, .msg_controllen = sizeof extra.bytes};
        ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        require((message.msg_flags & MSG_CTRUNC) == 0, "more descriptors than the protocol has");
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
            if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
                size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                require(*fd_count + count <= DESCRIPTORS, "more descriptors than the protocol has");
                memcpy(fds + *fd_count, CMSG_DATA(c), count * sizeof(int));
                *fd_count += count;
            }
        }
        to += got;
        bytes -= (size_t)got;
    }
    return true;
}

/* Section 6.1. */
static bool send_hello(int socket, uint16_t major, uint16_t minor, uint32_t mode) {
    uint8_t hello[HELLO_BYTES] = {0};
    put32(hello, HELLO_BYTES);
    put16(hello + 4, HELLO);
    memcpy(hello + 8, "CUFH", 4);
    put16(hello + 12, major);
    put16(hello + 14, minor);
    put32(hello + 16, 1u << TRANSPORT_HOST);
    put32(hello + 20, mode);
    put32(hello + 24, (uint32_t)getpid());
    memcpy(hello + 48, "host_reader.c", sizeof "host_reader.c");
    return send(socket, hello, sizeof hello, MSG_NOSIGNAL) == (ssize_t)sizeof hello;
}

/* Section 6.3; the text is the peer's, so only what is harmless on a terminal is printed of it. */
static void rejected(const uint8_t *message, uint32_t length) {
    require(length >= REJECT_BYTES, "length of REJECT");
    uint32_t text_length = get32(message + 16);
    require(text_length <= TEXT_MAX && text_length == length - REJECT_BYTES, "length of the text of REJECT");
    printf("REJECT %" PRIu32 " %u.%u ", get32(message + 8), get16(message + 12), get16(message + 14));
    for (uint32_t i = 0; i < text_length; i++) {
        uint8_t c = message[REJECT_BYTES + i];
        putchar(c < 0x20 || c == 0x7f ? '?' : c);
    }
    putchar('\n');
    exit(2);
}

/* Section 6.7, CONNECTING and GREETING: again until the timeout where nobody answers. */
static int connect_and_greet(
        const char *path, uint16_t major, uint16_t minor, uint32_t mode, int64_t deadline, uint8_t *welcome, int *fds) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >= sizeof address.sun_path) {
        fail("the path is longer than 107 bytes");
    }
    do {
        int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (s >= 0 && connect(s, (const struct sockaddr *)&address, sizeof address) == 0 && send_hello(s, major, minor, mode)) {
            int64_t handshake = now_ms() + HANDSHAKE_MS;
            size_t fd_count = 0;
            if (receive(s, welcome, 8, handshake, fds, &fd_count)) {
                uint32_t length = get32(welcome);
                uint16_t type = get16(welcome + 4);
                require(length >= 8 && length <= MESSAGE_MAX, "length of a message");
                require(type == WELCOME || type == REJECT, "neither WELCOME nor REJECT");
                require(type == REJECT || length == WELCOME_BYTES, "length of WELCOME");
                if (receive(s, welcome + 8, length - 8, handshake, fds, &fd_count)) {
                    if (type == REJECT) {
                        rejected(welcome, length);
                    }
                    require(get16(welcome + 8) == MAJOR, "WELCOME of another major version");
                    require(get32(welcome + 40) == TRANSPORT_HOST, "a transport that was not offered");
                    require(fd_count == DESCRIPTORS && get32(welcome + 44) == DESCRIPTORS, "number of descriptors");
                    return s;
                }
            }
            for (size_t i = 0; i < fd_count; i++) {
                close(fds[i]);
            }
        } else if (errno != ENOENT && errno != ECONNREFUSED && errno != EPIPE && errno != ECONNRESET) {
            fail("%s: %s", path, strerror(errno));
        }
        close(s);
        sleep_ms(20);
    } while (now_ms() < deadline);
    fail("no publisher at %s", path);
    return -1;
}

static uint8_t *map(int fd, uint64_t bytes, int protection, const char *what) {
    struct stat status;
    require(fstat(fd, &status) == 0 && status.st_size > 0 && (uint64_t)status.st_size == bytes && bytes <= SIZE_MAX, what);
    void *at = mmap(NULL, (size_t)bytes, protection, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        fail("mmap of the %s: %s", what, strerror(errno));
    }
    close(fd);
    return at;
}

/* Sections 3.2 and 3.3. */
static void read_planes(struct reader *r, uint64_t frame_bytes, uint32_t alignment) {
    const uint8_t *seg = r->segment;
    uint32_t code = get32(seg + SEG_FORMAT), width = get32(seg + SEG_WIDTH), height = get32(seg + SEG_HEIGHT);
    if (code == 0 || code >= sizeof FORMATS / sizeof *FORMATS) {
        fail("pixel format %" PRIu32 " is newer than this reader", code);
    }
    const struct format *format = &FORMATS[code];
    r->planes = get32(seg + SEG_PLANES);
    require(r->planes == format->planes, "number of planes");
    require(width >= 2 && width <= MAX_SIDE && height >= 2 && height <= MAX_SIDE, "size of the frame");
    for (uint32_t i = 0; i < r->planes; i++) {
        const uint8_t *at = seg + SEG_PLANE + (size_t)PLANE_SIZE * i;
        struct plane p = {get64(at), get32(at + 8), get32(at + 12), get32(at + 16), get32(at + 20)};
        uint32_t divisor = format->plane[i].divisor;
        require(width % divisor == 0 && height % divisor == 0, "size of the frame"); /* even where chroma is halved */
        require(p.width == width / divisor && p.height == height / divisor, "size of a plane");
        require(p.sample_bytes == format->plane[i].components * format->component_bytes, "size of a sample");
        require(p.pitch >= p.width * p.sample_bytes, "pitch of a plane");
        require(p.pitch % format->component_bytes == 0 && p.offset % format->component_bytes == 0, "alignment of a plane");
        require(p.pitch % alignment == 0 && p.offset % alignment == 0, "alignment of a plane");
        require(p.offset <= frame_bytes && (uint64_t)p.pitch * p.height <= frame_bytes - p.offset, "a plane outside of its frame");
        r->plane[i] = p;
    }
}

/* Sections 3.1 to 3.3 and 3.6: everything that pixels are addressed with is copied, and checked, once. */
static void read_geometry(struct reader *r, uint64_t length, uint64_t ring_length, uint64_t epoch) {
    const uint8_t *seg = r->segment;
    require(length >= SEG_SLOT, "the segment is too short for its header");
    require(memcmp(seg, "CUFRAMES", 8) == 0 && get16(seg + 8) == MAJOR, "magic or major version of the segment");
    uint32_t state = load32(seg + SEG_STATE);
    require(state == STATE_READY || state == STATE_ENDED, "state of the segment");
    r->slots = get32(seg + SEG_SLOTS);
    require(r->slots >= 2 && r->slots <= MAX_SLOTS, "number of slots");
    require(get32(seg + SEG_INDEX_ENTRIES) == INDEX_ENTRIES, "entries of the index ring");
    uint64_t expected = ((uint64_t)SEG_SLOT + (uint64_t)SLOT_SIZE * r->slots + 4095) & ~UINT64_C(4095);
    require(length == expected && get64(seg + SEG_LENGTH) == length, "length of the segment");
    require(epoch != 0 && get64(seg + SEG_EPOCH) == epoch, "epoch of the segment");
    require(get32(seg + SEG_TRANSPORT) == TRANSPORT_HOST, "transport of the segment");
    require(get64(seg + SEG_RING_LENGTH) == ring_length, "length of the ring");

    uint64_t frame_bytes = get64(seg + SEG_FRAME_BYTES), stride = get64(seg + SEG_SLOT_STRIDE);
    uint32_t ownership = get32(seg + SEG_OWNERSHIP);
    require(ownership == LIBRARY || ownership == EXTERNAL, "ownership of the ring");
    require(ownership == EXTERNAL ? stride == 0 : frame_bytes <= stride && stride % 4096 == 0 && stride <= ring_length / r->slots, "stride of the slots");
    read_planes(r, frame_bytes, ownership == EXTERNAL ? 1 : LIBRARY_ALIGNMENT);
    for (uint32_t s = 0; s < r->slots; s++) {
        const uint8_t *at = seg + SEG_SLOT + (size_t)SLOT_SIZE * s;
        uint64_t offset = get64(at + SLOT_OFFSET), bytes = get64(at + SLOT_LENGTH);
        require(bytes >= frame_bytes && bytes <= ring_length && offset <= ring_length - bytes, "a slot outside of the ring");
        r->slot_offset[s] = offset;
    }
}

/* Section 6.2: the descriptors in their order. */
static void open_stream(struct reader *r, const uint8_t *welcome, const int *fds) {
    uint64_t epoch = get64(welcome + 16), length = get64(welcome + 24), ring_length = get64(welcome + 32);
    r->segment = map(fds[0], length, PROT_READ, "segment");
    r->control = map(fds[1], CTL_BYTES, PROT_READ | PROT_WRITE, "control page");
    r->ring = map(fds[2], ring_length, PROT_READ, "ring");
    require(get32(welcome + 48) >= 1, "max_leases"); /* this reader never holds more than one */
    read_geometry(r, length, ring_length, epoch);
    const uint8_t *control = r->control; /* section 4 */
    require(memcmp(control, "CUFRCTRL", 8) == 0 && get16(control + 8) == MAJOR, "magic or major version of the control page");
    require(get32(control + CTL_SUBSCRIBER) == get32(welcome + 12), "subscriber of the control page");
    require(get64(control + CTL_EPOCH) == epoch, "epoch of the control page");
    store32(r->control + CTL_MODE, r->mode);

    uint64_t newest = load64(r->segment + SEG_HEAD) >> 8; /* section 8: it starts at the newest frame */
    r->cursor = newest > load64(r->segment + SEG_IDLE_AFTER) ? newest - 1 : newest; /* or behind it, where it is of before the publisher was idle */
    store64(r->control + CTL_CURSOR, r->cursor);
    uint8_t ready[READY_BYTES] = {READY_BYTES, 0, 0, 0, READY}; /* section 6.5 */
    (void)!send(r->socket, ready, sizeof ready, MSG_NOSIGNAL); /* where the publisher is gone, the next look tells */
    printf("CONNECTED subscriber %" PRIu32 " slots %" PRIu32 " max_leases %" PRIu32 "\n", get32(welcome + 12), r->slots,
            get32(welcome + 48));
}

/* Section 8, "Taking frame k in slot s". */
static bool take(struct reader *r, uint64_t word) {
    uint64_t k = word >> 8;
    uint32_t s = word & 0xff;
    require(s < r->slots, "a frame in a slot that is not there");
    uint8_t *lease = r->control + CTL_LEASE + (size_t)8 * s;
    store64(lease, k);
    fence();
    if (load64(r->segment + SEG_SLOT + (size_t)SLOT_SIZE * s) == k) {
        return true;
    }
    store64(lease, 0);
    return false;
}

/* Section 8, NEWEST_ONLY and STRICT_ORDER: the word of the frame that is now leased, or 0. */
static uint64_t find(struct reader *r) {
    const uint8_t *at = r->segment + SEG_HEAD;
    uint64_t head = load64(at);
    if (r->mode == MODE_NEWEST) {
        for (uint64_t before = 0; head != before && head >> 8 > r->cursor; before = head, head = load64(at)) {
            if (take(r, head)) {
                return head;
            }
        }
        return 0;
    }
    for (uint64_t want = r->cursor + 1; head >> 8 >= want; head = load64(at)) {
        uint64_t entry = load64(r->segment + SEG_INDEX + 8 * (want % INDEX_ENTRIES));
        if (entry >> 8 == want && take(r, entry)) {
            return entry;
        }
        uint64_t newest = load64(at) >> 8;
        want = newest > want + r->slots ? newest - r->slots + 1 : want + 1;
    }
    return 0;
}

/* Section 3.3: the bytes of the samples, without the padding of the rows; FNV-1a. */
static void checksum(const struct reader *r, uint32_t slot, uint64_t *sums) {
    for (uint32_t i = 0; i < r->planes; i++) {
        const struct plane *p = &r->plane[i];
        uint64_t sum = UINT64_C(0xcbf29ce484222325);
        for (uint32_t y = 0; y < p->height; y++) {
            const uint8_t *row = r->ring + r->slot_offset[slot] + p->offset + (uint64_t)p->pitch * y;
            for (uint32_t x = 0; x < p->width * p->sample_bytes; x++) {
                sum = (sum ^ row[x]) * UINT64_C(0x100000001b3);
            }
        }
        sums[i] = sum;
    }
}

static void deliver(struct reader *r, uint64_t word, int64_t hold_ms) {
    uint64_t k = word >> 8;
    uint32_t slot = word & 0xff;
    r->missed += k - r->cursor - 1; /* section 8, last paragraph */
    r->cursor = k;
    r->received++;
    store64(r->control + CTL_CURSOR, r->cursor);
    store64(r->control + CTL_RECEIVED, r->received);
    store64(r->control + CTL_MISSED, r->missed);

    uint64_t sums[MAX_PLANES] = {0}, again[MAX_PLANES] = {0};
    checksum(r, slot, sums);
    const uint8_t *descriptor = r->segment + SEG_SLOT + (size_t)SLOT_SIZE * slot;
    int64_t pts = (int64_t)get64(descriptor + SLOT_PTS);
    r->damaged += (get32(descriptor + SLOT_FLAGS) & FLAG_DAMAGED) != 0;
    printf("%" PRIu64 " %" PRIu32 " %" PRId64 " %" PRIu32 " %" PRIu32 " %" PRIu32, k, slot, pts, r->plane[0].width,
            r->plane[0].height, r->plane[0].pitch);
    for (uint32_t i = 0; i < r->planes; i++) {
        printf(" %016" PRIx64, sums[i]);
    }
    putchar('\n');
    if (hold_ms > 0) {
        sleep_ms(hold_ms);
        checksum(r, slot, again);
        if (memcmp(sums, again, sizeof sums) != 0) {
            printf("CHANGED %" PRIu64 "\n", k);
        }
    }
    store64(r->control + CTL_LEASE + (size_t)8 * slot, 0); /* section 8, step 4 */
}

/* Section 9: sleeps until the head may have changed, for 50 ms at most. */
static void wait_for_head(struct reader *r, uint64_t seen, int64_t left_ms) {
    int64_t ms = left_ms < LIVENESS_MS ? left_ms : LIVENESS_MS;
    struct timespec timeout = {.tv_nsec = (long)ms * 1000000};
    uint64_t published = load64(r->segment + SEG_PUBLISHED);
    if (published > seen >> 8) { /* on its way to the head */
        sched_yield();
        return;
    }
    store32(r->control + CTL_WAITING, 1);
    fence();
    if (load64(r->segment + SEG_PUBLISHED) == published && load64(r->segment + SEG_HEAD) == seen
            && load32(r->segment + SEG_STATE) != STATE_ENDED) {
        syscall(SYS_futex, r->segment + SEG_PUBLISHED, FUTEX_WAIT, (uint32_t)published, &timeout, NULL, 0);
    }
    store32(r->control + CTL_WAITING, 0);
}

/* Sections 6.4 and 10: what the state and the socket say of the publisher. */
static void look_at_publisher(struct reader *r) {
    ssize_t got = 1;
    while (got > 0 && r->bye_bytes < BYE_BYTES) {
        got = recv(r->socket, r->bye + r->bye_bytes, BYE_BYTES - r->bye_bytes, MSG_DONTWAIT);
        r->bye_bytes += got > 0 ? (size_t)got : 0;
    }
    if (r->bye_bytes == BYE_BYTES) {
        require(get32(r->bye) == BYE_BYTES && get16(r->bye + 4) == BYE, "another message than BYE");
        r->ended = true;
    } else if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        r->died = true;
    }
    if (load32(r->segment + SEG_STATE) == STATE_ENDED) {
        r->ended = true; /* stored before BYE is sent: it counts more than an end-of-file */
    }
}

static const char *read_frames(struct reader *r, uint64_t limit, int64_t hold_ms, int64_t timeout_ms) {
    int64_t deadline = now_ms() + timeout_ms;
    while (limit == 0 || r->received < limit) {
        look_at_publisher(r); /* before the ring: what it says is final once the ring is found empty after it */
        uint64_t seen = load64(r->segment + SEG_HEAD);
        uint64_t word = find(r);
        int64_t left = deadline - now_ms();
        if (word != 0) {
            deliver(r, word, hold_ms);
            deadline = now_ms() + timeout_ms;
        } else if (r->ended || r->died) {
            return r->ended ? "ENDED" : "DIED";
        } else if (left <= 0) {
            store64(r->control + CTL_TIMEOUTS, 1); /* it gives up after the first */
            return "TIMEOUT";
        } else {
            wait_for_head(r, seen, left);
        }
    }
    return "LIMIT";
}

static int64_t number(const char *text, int64_t most) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 0 || value > most) {
        fail("\"%s\" is not a number from 0 to %" PRId64, text, most);
    }
    return value;
}

int main(int argc, char **argv) {
    struct reader r = {.mode = MODE_NEWEST};
    uint64_t limit = 0;
    uint16_t major = MAJOR, minor = MINOR;
    int64_t hold_ms = 0, timeout_ms = 5000;
    for (int option; (option = getopt(argc, argv, "m:n:h:t:V:v:")) != -1;) {
        switch (option) {
        case 'm': r.mode = strcmp(optarg, "strict") == 0 ? MODE_STRICT : MODE_NEWEST; break;
        case 'n': limit = (uint64_t)number(optarg, INT64_MAX); break;
        case 'h': hold_ms = number(optarg, 3600000); break;
        case 't': timeout_ms = number(optarg, 3600000); break;
        case 'V': major = (uint16_t)number(optarg, UINT16_MAX); break;
        case 'v': minor = (uint16_t)number(optarg, UINT16_MAX); break;
        default: return 1;
        }
    }
    if (optind + 1 != argc) {
        fail("one socket must be named");
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* a line is seen, whole, as soon as it is there */
    uint8_t welcome[MESSAGE_MAX];
    int fds[DESCRIPTORS];
    r.socket = connect_and_greet(argv[optind], major, minor, r.mode, now_ms() + timeout_ms, welcome, fds);
    open_stream(&r, welcome, fds);
    const char *end = read_frames(&r, limit, hold_ms, timeout_ms);
    printf("received %" PRIu64 " missed %" PRIu64 " damaged %" PRIu64 " end=%s\n", r.received, r.missed, r.damaged, end);
    return 0; /* its end closes the socket: the publisher frees what it held */
}
