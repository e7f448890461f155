/* code: a plugin's mapped image and what is called in it besides tasks. Made by the loader thread.
 * An errand's thread runs entry, init or deinit, one at a time, and may be left behind in there:
 * then all of this stays until it is back. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "plugin/descriptor.h"
#include "plugin/note.h"
#include "plugin/registry.h"
#include "plugin/stray.h"
#include "support/arena.h"

typedef const struct sluice_plugin *entry_function(const struct sluice_host *host,
                                                   struct sluice_error *err);

struct generation_code {
    void *handle;
    char *copy;
    struct note note;
    const struct type **types; /* in the order of the note */
    struct arena texts;        /* settings, help */
    struct stray_elders elders;
    struct sluice_host host; /* this plugin's own table: the log names it outside calls */
    struct sluice_settings settings;
    entry_function *entry;
    struct descriptor descriptor;
    /* written by the errand, read when it is done */
    struct sluice_error err;
    const struct sluice_plugin *answer;
    void *self;
    bool initialised;
};

struct generation_origin;

/* Copies what is needed; maps nothing yet. NULL: out of memory. */
struct generation_code *code_create(const struct generation_origin *origin);

/* Frees it; the pointer is cleared. NULL is fine. */
void code_destroy(struct generation_code **code);

/* Maps the copy and finds the entry; false with a message. Runs the constructors. Loader thread. */
bool code_map(struct generation_code *code, struct error *error);

/* Closes what is mapped, unless a thread of its own is left in there (which is logged); false if it
 * is still mapped then. Loader thread. */
bool code_unmap(struct generation_code *code);

/* Says why the entry or the init that has just answered has refused; always false. */
bool code_refused(const struct generation_code *code, const char *what, struct error *error);

/* Each calls one function of the plugin, on the thread of an errand; context is the code. */
void code_run_entry(void *context);

/* As code_run_entry; the descriptor is read. */
void code_run_init(void *context);

/* As code_run_entry; init has succeeded. */
void code_run_deinit(void *context);
