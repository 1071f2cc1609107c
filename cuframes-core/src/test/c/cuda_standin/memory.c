/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Memory. A device's memory is a memfd for each allocation; callers know it by an address in a range that is reserved and never accessible, so
 * that a CPU that touches device memory faults, and the stand-in uses an alias elsewhere. A handle for other processes names process and
 * descriptor: nothing has a name in the file system, and what a killed process had is gone with it.
 */
#define _GNU_SOURCE
#include "standin.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* In place of the ordinal of a device that this process does not see. */
enum { HIDDEN = -2 }; /* cudaInvalidDeviceId */

/* Addresses: 1 TiB for each device, from here on. */
#define FIRST_ADDRESS UINT64_C(0x3d0000000000)
#define DEVICE_RANGE (UINT64_C(1) << 40)

enum { PAGE = 4096, NAME_BYTES = 64, FRESH = 0xa5, FREED = 0xdd, READ_WRITE = PROT_READ | PROT_WRITE };

static const char MAGIC[8] = "STANDIN";

/* What the 64 bytes of an IPC handle hold. */
struct exported {
    char magic[8];
    uint64_t id, size;
    int32_t pid, file;
    unsigned char uuid[UUID_LENGTH];
    char reserved[16];
};
_Static_assert(sizeof(struct exported) == 64, "CUDA_IPC_HANDLE_SIZE");

/* Memory without an address: cuMemCreate. */
struct physical {
    struct physical *next;
    uint64_t id;
    size_t size;
    int device, file;
    bool exportable;
};

struct reservation {
    struct reservation *next;
    uint64_t address;
    size_t size;
};

static struct memory *memories;
static struct physical *physicals;
static struct reservation *reservations;
static uint64_t taken[MAX_DEVICES]; /* of each device's range, never given out twice */

static uint64_t round_up(uint64_t value, uint64_t unit) {
    return (value + unit - 1) / unit * unit;
}

/* The upper half is this process's own, the lower counts. */
static uint64_t next_id(void) {
    static uint32_t process, count;
    if (process == 0 && getrandom(&process, sizeof process, 0) != sizeof process) {
        process = (uint32_t)getpid();
    }
    return (uint64_t)process << 32 | ++count;
}

/* ---- addresses ---- */

bool address_is_device(uint64_t address) {
    return address >= FIRST_ADDRESS && address - FIRST_ADDRESS < MAX_DEVICES * DEVICE_RANGE;
}

/* Takes addresses, with a gap behind them; 0 where none are left. */
static uint64_t take_addresses(int device, size_t size, uint64_t alignment) {
    uint64_t first = FIRST_ADDRESS + (uint64_t)device * DEVICE_RANGE;
    if (taken[device] == 0) {
        void *reserved = mmap((void *)first, DEVICE_RANGE, PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        if (reserved != (void *)first) {
            return 0;
        }
        taken[device] = GRANULARITY;
    }
    uint64_t begin = round_up(taken[device], alignment);
    if (size > DEVICE_RANGE || begin + size + GRANULARITY > DEVICE_RANGE) {
        return 0;
    }
    taken[device] = round_up(begin + size + GRANULARITY, GRANULARITY);
    return first + begin;
}

struct memory *memory_at(uint64_t address) {
    for (struct memory *each = memories; each != NULL; each = each->next) {
        if (!each->dead && address >= each->address && address - each->address < each->size) {
            return each;
        }
    }
    return NULL;
}

static struct memory *memory_based(enum memory_kind kind, uint64_t address) {
    struct memory *found = memory_at(address);
    return found != NULL && found->kind == kind && found->address == address ? found : NULL;
}

int place_find(uint64_t address, size_t length, bool write, int device, struct place *place) {
    struct memory *memory = memory_at(address);
    if (memory == NULL) {
        *place = (struct place){NULL, (char *)address};
        return address == 0 || address_is_device(address) ? INVALID_VALUE : OK;
    }
    uint64_t offset = address - memory->address;
    if (length > memory->size - offset || (memory->access[device] & (write ? PROT_WRITE : PROT_READ)) == 0) {
        return INVALID_VALUE; /* ranges over several mappings too, which CUDA would allow */
    }
    *place = (struct place){memory, (memory->alias == NULL ? (char *)memory->address : memory->alias) + offset};
    return OK;
}

/* ---- the table ---- */

static struct memory *add(enum memory_kind kind, uint64_t address, size_t size, int device) {
    struct memory *memory = calloc(1, sizeof *memory);
    *memory = (struct memory){.kind = kind, .id = next_id(), .address = address, .size = size, .device = device, .file = -1};
    for (int i = 0; i < MAX_DEVICES; i++) {
        memory->access[i] = READ_WRITE;
    }
    memory->next = memories;
    memories = memory;
    return memory;
}

static bool map_alias(struct memory *memory, int file) {
    void *alias = mmap(NULL, memory->size, READ_WRITE, MAP_SHARED, file, 0);
    if (alias == MAP_FAILED) {
        return false;
    }
    memory->alias = memory->alias_pages = alias;
    memory->alias_length = memory->size;
    return true;
}

static void drop(struct memory *memory) {
    struct memory **link = &memories;
    while (*link != memory) {
        link = &(*link)->next;
    }
    *link = memory->next;
    if (memory->kind == ALLOCATED && memory->alias != NULL) {
        memset(memory->alias, FREED, memory->size); /* whoever still has it open is to see that it is gone */
    }
    if (memory->alias_pages != NULL) {
        munmap(memory->alias_pages, memory->alias_length);
    }
    if (memory->kind == PINNED) {
        munmap((void *)memory->address, memory->size);
    }
    if (memory->file >= 0) {
        close(memory->file);
    }
    free(memory);
}

/* Lets go of it now, or once the last operation that is under way on it is done. */
static void let_go(struct memory *memory) {
    memory->dead = true;
    if (memory->users == 0) {
        drop(memory);
    }
}

void place_begin(struct place *place) {
    if (place->memory != NULL) {
        place->memory->users++;
    }
}

void place_end(struct place *place) {
    if (place->memory != NULL && --place->memory->users == 0 && place->memory->dead) {
        drop(place->memory);
    }
}

/* ---- cudaMalloc ---- */

static int make_file(const char *kind, uint64_t id, int device, size_t size) {
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "cuda-standin:%s:%d:%016" PRIx64, kind, standin_settings.visible[device], id);
    int file = memfd_create(name, MFD_CLOEXEC);
    if (file >= 0 && ftruncate(file, (off_t)size) != 0) {
        close(file);
        return -1;
    }
    return file;
}

/* Whether a descriptor leads to such a file; which device's memory it is, and its id. */
static bool read_name(const char *link, const char *kind, int *device, uint64_t *id) {
    char name[2 * NAME_BYTES], found[NAME_BYTES];
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length < 0) {
        return false;
    }
    name[length] = '\0';
    return sscanf(name, "/memfd:cuda-standin:%15[a-z]:%d:%" SCNx64, found, device, id) == 3 && strcmp(found, kind) == 0;
}

uint64_t memory_used(int device) {
    uint64_t used = 0;
    for (struct memory *each = memories; each != NULL; each = each->next) {
        used += each->kind == ALLOCATED && each->device == device ? each->size : 0;
    }
    for (struct physical *each = physicals; each != NULL; each = each->next) {
        used += each->device == device ? each->size : 0;
    }
    return used;
}

static bool fits(int device, size_t size) {
    uint64_t used = memory_used(device);
    return used <= standin_settings.memory && size <= standin_settings.memory - used;
}

int memory_allocate(int device, size_t size, uint64_t *address) {
    uint64_t at = fits(device, size) ? take_addresses(device, size, GRANULARITY) : 0;
    if (at == 0) {
        return OUT_OF_MEMORY;
    }
    struct memory *memory = add(ALLOCATED, at, size, device);
    memory->file = make_file("ipc", memory->id, device, size);
    if (memory->file < 0 || !map_alias(memory, memory->file)) {
        let_go(memory);
        return OUT_OF_MEMORY;
    }
    memset(memory->alias, FRESH, size); /* fresh memory is not zero */
    *address = at;
    return OK;
}

int memory_free(uint64_t address) {
    struct memory *memory = memory_based(ALLOCATED, address);
    if (memory == NULL) {
        return INVALID_VALUE;
    }
    let_go(memory);
    return OK;
}

/* ---- cudaIpc: memory of other processes ---- */

int memory_export(uint64_t address, unsigned char *handle) {
    struct memory *memory = memory_at(address); /* anywhere in it: the handle is that of the whole */
    if (memory == NULL || memory->kind != ALLOCATED) {
        return INVALID_VALUE;
    }
    struct exported exported = {.id = memory->id, .size = memory->size, .pid = getpid(), .file = memory->file};
    memcpy(exported.magic, MAGIC, sizeof MAGIC);
    device_uuid(memory->device, exported.uuid);
    memcpy(handle, &exported, sizeof exported);
    return OK;
}

/* The file of an allocation of another process, as long as that has it. */
static int open_exported(const struct exported *exported) {
    char link[NAME_BYTES];
    snprintf(link, sizeof link, "/proc/%d/fd/%d", exported->pid, exported->file);
    int file = open(link, O_RDWR | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    int device;
    uint64_t id;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    if (!read_name(link, "ipc", &device, &id) || id != exported->id) {
        close(file); /* the number is another's now */
        return -1;
    }
    return file;
}

int memory_open(const unsigned char *handle, uint64_t *address) {
    struct exported exported;
    memcpy(&exported, handle, sizeof exported);
    if (memcmp(exported.magic, MAGIC, sizeof MAGIC) != 0) {
        return INVALID_HANDLE;
    }
    if (exported.id >> 32 == next_id() >> 32) {
        return INVALID_CONTEXT; /* its own */
    }
    for (struct memory *each = memories; each != NULL; each = each->next) {
        if (each->kind == OPENED && !each->dead && memcmp(each->handle, handle, sizeof each->handle) == 0) {
            each->opens++;
            *address = each->address;
            return OK;
        }
    }
    int file = open_exported(&exported);
    if (file < 0) {
        return MAPPING_FAILED;
    }
    int owner = device_ordinal(exported.uuid); /* may be hidden from this process */
    int device = owner < 0 ? device_current() : owner;
    uint64_t at = take_addresses(device, exported.size, GRANULARITY);
    struct memory *memory = at == 0 ? NULL : add(OPENED, at, exported.size, device);
    bool mapped = memory != NULL && map_alias(memory, file);
    close(file);
    if (!mapped) {
        if (memory != NULL) {
            let_go(memory);
        }
        return MAPPING_FAILED;
    }
    memcpy(memory->handle, handle, sizeof memory->handle);
    memory->opens = 1;
    *address = at;
    return OK;
}

int memory_close(uint64_t address) {
    struct memory *memory = memory_based(OPENED, address);
    if (memory == NULL) {
        return INVALID_VALUE;
    }
    if (--memory->opens == 0) {
        let_go(memory);
    }
    return OK;
}

/* ---- host memory ---- */

struct mapped {
    bool readable, writable, shared, whole;
};

/* What the process has at an address; whole: in one mapping. */
static struct mapped look_up(uint64_t address, size_t size) {
    struct mapped found = {.whole = true};
    uint64_t at = address;
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    while (maps != NULL && at < address + size && fgets(line, sizeof line, maps) != NULL) {
        uint64_t begin, end;
        char flags[5];
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &begin, &end, flags) != 3 || end <= at) {
            continue;
        }
        bool first = at == address;
        if (begin > at) {
            break;
        }
        found.readable = (first || found.readable) && flags[0] == 'r';
        found.writable = (first || found.writable) && flags[1] == 'w';
        found.shared = (first || found.shared) && flags[3] == 's';
        found.whole = first;
        at = end;
    }
    if (maps != NULL) {
        fclose(maps);
    }
    return at < address + size ? (struct mapped){0} : found;
}

static bool overlaps_registered(uint64_t address, size_t size) {
    for (struct memory *each = memories; each != NULL; each = each->next) {
        if ((each->kind == REGISTERED || each->kind == PINNED) && !each->dead && address < each->address + each->size
                && each->address < address + size) {
            return true;
        }
    }
    return false;
}

int memory_register(uint64_t address, size_t size, bool read_only) {
    if (address == 0 || size == 0 || address_is_device(address)) {
        return INVALID_VALUE;
    }
    if (overlaps_registered(address, size)) {
        return ALREADY_REGISTERED;
    }
    struct mapped host = look_up(address, size);
    if (!host.readable || (!host.writable && !read_only)) {
        return INVALID_VALUE;
    }
    struct memory *memory = add(REGISTERED, address, size, device_current());
    for (int i = 0; read_only && i < MAX_DEVICES; i++) {
        memory->access[i] = PROT_READ;
    }
    if (host.shared && host.whole) {
        /* Registered pages are pinned: the device still reaches them after the process has unmapped them. */
        uint64_t first = address / PAGE * PAGE;
        memory->alias_length = round_up(address + size, PAGE) - first;
        void *pages = mremap((void *)first, 0, memory->alias_length, MREMAP_MAYMOVE);
        if (pages == MAP_FAILED) {
            let_go(memory);
            return OPERATING_SYSTEM;
        }
        memory->alias_pages = pages;
        memory->alias = memory->alias_pages + (address - first);
    }
    return OK;
}

int memory_unregister(uint64_t address) {
    struct memory *memory = memory_based(REGISTERED, address);
    if (memory == NULL) {
        return NOT_REGISTERED;
    }
    let_go(memory);
    return OK;
}

int memory_pin(size_t size, uint64_t *address) {
    void *pages = mmap(NULL, size, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        return OUT_OF_MEMORY;
    }
    *address = add(PINNED, (uint64_t)pages, size, device_current())->address;
    return OK;
}

int memory_unpin(uint64_t address) {
    struct memory *memory = memory_based(PINNED, address);
    if (memory == NULL) {
        return INVALID_VALUE;
    }
    let_go(memory);
    return OK;
}

/* ---- cuMem: physical memory and address ranges ---- */

static struct physical *physical_of(uint64_t handle) {
    struct physical *each = physicals;
    while (each != NULL && each->id != handle) {
        each = each->next;
    }
    return each;
}

static uint64_t add_physical(int device, int file, size_t size, bool exportable) {
    struct physical *physical = calloc(1, sizeof *physical);
    *physical = (struct physical){physicals, next_id(), size, device, file, exportable};
    physicals = physical;
    return physical->id;
}

int vmm_create(int device, size_t size, bool exportable, uint64_t *handle) {
    if (size == 0 || size % GRANULARITY != 0) {
        return INVALID_VALUE;
    }
    int file = fits(device, size) ? make_file("vmm", next_id(), device, size) : -1;
    if (file < 0) {
        return OUT_OF_MEMORY;
    }
    *handle = add_physical(device, file, size, exportable);
    return OK;
}

int vmm_release(uint64_t handle) {
    for (struct physical **link = &physicals; *link != NULL; link = &(*link)->next) {
        struct physical *each = *link;
        if (each->id == handle) {
            *link = each->next;
            close(each->file);
            free(each);
            return OK;
        }
    }
    return INVALID_VALUE;
}

int vmm_export(uint64_t handle, int *file) {
    struct physical *physical = physical_of(handle);
    if (physical == NULL || !physical->exportable) {
        return INVALID_VALUE;
    }
    *file = fcntl(physical->file, F_DUPFD_CLOEXEC, 0);
    return *file < 0 ? OPERATING_SYSTEM : OK;
}

int vmm_import(int file, uint64_t *handle) {
    char link[NAME_BYTES];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    int number;
    uint64_t id;
    struct stat status;
    if (!read_name(link, "vmm", &number, &id) || fstat(file, &status) != 0) {
        return INVALID_VALUE;
    }
    int device = 0;
    while (device_exists(device) && standin_settings.visible[device] != number) {
        device++;
    }
    if (!device_exists(device)) {
        device = HIDDEN; /* memory of a device that this process does not see can be imported all the same */
    }
    int own = fcntl(file, F_DUPFD_CLOEXEC, 0);
    if (own < 0) {
        return OPERATING_SYSTEM;
    }
    *handle = add_physical(device, own, (size_t)status.st_size, true);
    return OK;
}

int vmm_reserve(size_t size, size_t alignment, uint64_t *address) {
    if (size == 0 || size % PAGE != 0 || (alignment & (alignment - 1)) != 0) {
        return INVALID_VALUE;
    }
    uint64_t at = take_addresses(device_current(), size, alignment < GRANULARITY ? GRANULARITY : alignment);
    if (at == 0) {
        return OUT_OF_MEMORY;
    }
    struct reservation *reservation = calloc(1, sizeof *reservation);
    *reservation = (struct reservation){reservations, at, size};
    reservations = reservation;
    *address = at;
    return OK;
}

/* The first mapping that begins in a range or reaches into it. */
static struct memory *mapping_in(uint64_t address, size_t size) {
    for (struct memory *each = memories; each != NULL; each = each->next) {
        if (each->kind == MAPPED && !each->dead && each->address < address + size
                && address < each->address + each->size) {
            return each;
        }
    }
    return NULL;
}

int vmm_unreserve(uint64_t address, size_t size) {
    for (struct reservation **link = &reservations; *link != NULL; link = &(*link)->next) {
        struct reservation *each = *link;
        if (each->address == address && each->size == size) {
            if (mapping_in(address, size) != NULL) {
                return INVALID_VALUE;
            }
            *link = each->next;
            free(each);
            return OK;
        }
    }
    return INVALID_VALUE;
}

static bool is_reserved(uint64_t address, size_t size) {
    for (struct reservation *each = reservations; each != NULL; each = each->next) {
        if (address >= each->address && address - each->address <= each->size
                && size <= each->size - (address - each->address)) {
            return true;
        }
    }
    return false;
}

int vmm_map(uint64_t address, size_t size, size_t offset, uint64_t handle) {
    struct physical *physical = physical_of(handle);
    if (physical == NULL || size == 0 || offset != 0 || size > physical->size || size % GRANULARITY != 0
            || address % GRANULARITY != 0 || !is_reserved(address, size) || mapping_in(address, size) != NULL) {
        return INVALID_VALUE;
    }
    struct memory *memory = add(MAPPED, address, size, physical->device);
    if (!map_alias(memory, physical->file) || mprotect(memory->alias, size, PROT_NONE) != 0) {
        let_go(memory);
        return OUT_OF_MEMORY;
    }
    memset(memory->access, 0, sizeof memory->access); /* until cuMemSetAccess */
    return OK;
}

/* Whether the range is made up of whole mappings. */
static bool is_mapped(uint64_t address, size_t size) {
    size_t covered = 0;
    for (struct memory *each = memories; each != NULL; each = each->next) {
        if (each->kind == MAPPED && !each->dead && each->address >= address
                && each->address + each->size <= address + size) {
            covered += each->size;
        }
    }
    return size > 0 && covered == size;
}

int vmm_unmap(uint64_t address, size_t size) {
    if (!is_mapped(address, size)) {
        return INVALID_VALUE;
    }
    for (struct memory *each = mapping_in(address, size); each != NULL; each = mapping_in(address, size)) {
        let_go(each);
    }
    return OK;
}

int vmm_set_access(uint64_t address, size_t size, int device, int protection) {
    if (!is_mapped(address, size)) {
        return INVALID_VALUE;
    }
    for (struct memory *each = memories; each != NULL; each = each->next) {
        if (each->kind != MAPPED || each->dead || each->address < address || each->address >= address + size) {
            continue;
        }
        each->access[device] = protection;
        int any = PROT_NONE;
        for (int i = 0; i < MAX_DEVICES; i++) {
            any |= each->access[i];
        }
        if (mprotect(each->alias, each->size, any) != 0) {
            return OPERATING_SYSTEM;
        }
    }
    return OK;
}

void memory_forget(void) {
    for (struct memory *each = memories, *next; each != NULL; each = next) {
        next = each->next;
        let_go(each);
    }
    while (physicals != NULL) {
        vmm_release(physicals->id);
    }
    while (reservations != NULL) {
        vmm_unreserve(reservations->address, reservations->size);
    }
}

/* ---- leaks ---- */

void memory_remains(standin_writer *write) {
    static const char *const KINDS[] = {"allocated", "opened by a handle", "mapped", "registered", "pinned"};
    for (struct memory *each = memories; each != NULL; each = each->next) {
        write("%zu bytes %s at 0x%" PRIx64 "%s\n", each->size, KINDS[each->kind], each->address,
                each->dead ? ", in use" : "");
    }
    for (struct physical *each = physicals; each != NULL; each = each->next) {
        write("%zu bytes created, handle 0x%" PRIx64 "\n", each->size, each->id);
    }
    for (struct reservation *each = reservations; each != NULL; each = each->next) {
        write("%zu bytes of addresses reserved at 0x%" PRIx64 "\n", each->size, each->address);
    }
}
