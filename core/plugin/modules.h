/* modules: which files are mapped into this process, and where: written down ahead of time, so that
 * a signal handler can say in which of them an address lies. One for the process; plain memory
 * without pointers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { MODULES_MOST = 256, MODULE_NAME_BYTES = 64, MODULE_BUILD_ID_BYTES = 20 };

struct module {
    uintptr_t base; /* what its own addresses are counted from */
    uintptr_t start, end;
    uint8_t build_id[MODULE_BUILD_ID_BYTES]; /* of a longer one its beginning */
    uint8_t build_id_bytes;                  /* 0: has none */
    bool is_plugin;
    char name[MODULE_NAME_BYTES]; /* of the file, without its folder */
};

/* Writes down what is mapped now; plugin_path (may be NULL) is the path under which a plugin was
 * loaded. One thread at a time. */
void modules_read(const char *plugin_path);

/* Returns the module in which an address lies, or NULL. Safe in a signal handler; the answer holds
 * until the second modules_read from then. */
const struct module *modules_find(uintptr_t address);
