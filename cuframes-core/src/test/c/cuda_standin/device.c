/* SPDX-License-Identifier: Apache-2.0 */

/* Devices and what is current on a thread. */
#define _GNU_SOURCE
#include "standin.h"

#include <stdatomic.h>
#include <string.h>

const char *const device_name = "CUDA stand-in";

static const unsigned char UUID[UUID_LENGTH] = "\x57\xa4\xd1\x40-cuframes-\0"; /* the last byte is the device's number */

static atomic_bool initialized;
static _Thread_local int current;
static _Thread_local bool chosen;
static _Thread_local bool other; /* not the primary context */

bool device_exists(int ordinal) {
    return ordinal >= 0 && ordinal < standin_settings.devices;
}

void device_uuid(int ordinal, unsigned char *uuid) {
    memcpy(uuid, UUID, UUID_LENGTH);
    uuid[UUID_LENGTH - 1] = (unsigned char)standin_settings.visible[ordinal];
}

int device_ordinal(const unsigned char *uuid) {
    unsigned char each[UUID_LENGTH];
    for (int ordinal = 0; device_exists(ordinal); ordinal++) {
        device_uuid(ordinal, each);
        if (memcmp(each, uuid, UUID_LENGTH) == 0) {
            return ordinal;
        }
    }
    return -1;
}

int device_current(void) {
    return current;
}

bool device_chosen(void) {
    return chosen;
}

void device_use(int ordinal) {
    current = ordinal;
    chosen = true;
    other = false;
}

void device_use_other(int ordinal) {
    device_use(ordinal);
    other = true;
}

bool device_other(void) {
    return other;
}

void device_unuse(void) {
    current = 0;
    chosen = false;
    other = false;
}

void device_initialize(void) {
    atomic_store(&initialized, true);
}

bool device_initialized(void) {
    return atomic_load(&initialized);
}
