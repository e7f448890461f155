/* descriptor: a plugin's own account of itself and its types, copied out of the plugin by the
 * size rule and checked. Made by the loader thread after entry has answered; immutable after. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "plugin/note.h"
#include "sluice/plugin.h"
#include "support/error.h"

struct descriptor {
    struct sluice_plugin plugin;
    struct sluice_type *types; /* as the note's, in its order; texts and rows are the plugin's */
};

/* Copies and checks what entry returned; false with a message that names the type and the field, or
 * what differs from the note. On false there is nothing to free. */
bool descriptor_read(struct descriptor *descriptor, const struct sluice_plugin *from,
                     const struct note *note, struct error *error);

/* Frees the copies; a zeroed one is fine. */
void descriptor_fini(struct descriptor *descriptor);
