/* plugin_place: the folder that a plugin is installed in, and what its file there replaces.
 * Embedded by `plugin install`; main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "plugin/note.h"
#include "support/buffer.h"
#include "support/error.h"

struct plugin_place {
    char *folder; /* its resolved path */
    int fd;
    size_t index; /* among the configured folders; their number: it is none of them */
    char name[SLUICE_NAME_MAX + sizeof(".so")];
    struct note replaced; /* of the file that has this name now; name is empty: there is none */
};

/* Opens the folder: the named one, or else (NULL) the first of the configured ones that is safe to
 * load from and that we may write. False with a message that says what is wrong with each.
 * plugin_place_close is due either way. */
bool plugin_place_open(struct plugin_place *place, const struct config *config, const char *named,
                       struct error *error);

/* Closes it. Fits CLEANUP. */
void plugin_place_close(struct plugin_place *place);

/* Finds out what a plugin of this note would replace and meet there. False with a message if the
 * host would not load it from there, or would lose another plugin by it. Those in folders
 * behind, which it would take the place of, are added to behind, a line each. */
bool plugin_place_look(struct plugin_place *place, const struct config *config,
                       const struct note *note, struct buffer *behind, struct error *error);

/* Puts what from_fd is into the place, in one step: who looks there finds the old file or the new
 * one, also after a power loss, and on false (with a message) the old one. */
bool plugin_place_put(const struct plugin_place *place, int from_fd, struct error *error);
