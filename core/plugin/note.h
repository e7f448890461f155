/* note: what a plugin's ELF note says, read before any code of the plugin runs. Lives in its
 * owner's memory; immutable after its making. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/plugin.h"
#include "support/error.h"

enum { NOTE_BUILD_ID_BYTES = 2 * 32 + 1 };

struct note {
    uint16_t abi_major, abi_minor;
    char name[SLUICE_NAME_MAX + 1];
    char version[SLUICE_NAME_MAX + 1];
    char (*types)[SLUICE_NAME_MAX + 1]; /* in the order of the note */
    size_t types_count;
    char build_id[NOTE_BUILD_ID_BYTES]; /* as hex; "0" if there is none */
};

/* Reads the bytes of the note's desc, which may hold anything; false with the reason of refusal.
 * The build id is not touched. */
bool note_parse(struct note *note, const void *desc, size_t bytes, struct error *error);

/* Frees the types; a zeroed one is fine. */
void note_fini(struct note *note);

/* Says whether two notes name the same plugin with the same version and types. */
bool note_equals(const struct note *one, const struct note *other);
