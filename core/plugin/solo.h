/* solo: one plugin alone in a process of its own: what a worker process and the probe load. No
 * registry, no loader thread; everything happens on the caller's thread, which is the main one, and
 * takes as long as the plugin does: whoever has started the process sets it a limit. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/offer.h"
#include "plugin/registry.h"
#include "support/error.h"

struct solo;

struct solo_order {
    const char *path; /* of the file to map: a private copy, or one that nobody writes */
    const struct sluice_pair *settings; /* what its init is told; borrowed for solo_load */
    size_t settings_count;
};

/* How far solo_load goes. */
enum solo_step {
    SOLO_ENTERED,     /* constructors and entry have run, descriptor and note agree */
    SOLO_INITIALISED, /* init has succeeded: tasks may be run */
};

/* Maps the plugin and runs what the step says; NULL with a message that says why the plugin refuses
 * or is refused. */
struct solo *solo_load(const struct solo_order *order, enum solo_step step, struct error *error);

/* Returns its types in the order of the note: what generation.offers has in the host, by index.
 * Each offer's generation is NULL: solo_self is what its functions are given. */
const struct offer *solo_offers(const struct solo *solo, uint32_t *count);

/* Returns what init has answered. */
void *solo_self(const struct solo *solo);

/* Returns the name of the plugin, by its note. */
const char *solo_plugin(const struct solo *solo);

/* Returns its version. */
const char *solo_version(const struct solo *solo);

/* Runs deinit if init has run, and unmaps; clears the pointer; accepts NULL. False: it is still
 * mapped. */
bool solo_unload(struct solo **solo);
