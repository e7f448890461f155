/* module: the file that is mapped where an address lies, asked for in a signal handler: plain
 * memory, no locks, nothing kept. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { MODULE_NAME_BYTES = 64, MODULE_BUILD_ID_BYTES = 20 };

struct module {
    uintptr_t base;                          /* what its own addresses are counted from */
    const char *path;                        /* as it was loaded; empty: the program itself */
    uint8_t build_id[MODULE_BUILD_ID_BYTES]; /* of a longer one its beginning */
    uint8_t build_id_bytes;                  /* 0: has none */
    char name[MODULE_NAME_BYTES];            /* of the file, without its folder */
};

/* Fills in what is mapped at an address; false if that is no module. Reads memory of the module:
 * what has been written over crashes the caller. Any thread; safe in a signal handler. */
bool module_find(uintptr_t address, struct module *module);
