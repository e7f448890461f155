/* config_change: from the configuration that is in force to one that was read later. What is LIVE
 * in the table of keys is taken over, everything else is named. Done by the command on the main
 * thread. */
#pragma once

#include <stdbool.h>

#include "config.h"
#include "support/error.h"

/* One key whose value is another one. Its texts live until the visitor returns. */
struct config_change {
    const char *key;            /* "[host] max_weight", "[group:mail] workers", "[group:mail]" */
    const char *before, *after; /* as in the file; NULL: not told, or there is none */
    bool live;                  /* taken over; or else the old value stays */
};

/* Who is told of the changes. */
struct config_listener {
    void *context;
    void (*changed)(void *context, const struct config_change *change);
};

/* Takes what is LIVE in next over into config, and tells of each key that differs, LIVE or not.
 * False with a message, nothing changed and nobody told, if the two together are not valid: next is
 * by itself, but the weights of the groups that stay may not fit into it. */
bool config_change(struct config *config, struct config *next,
                   const struct config_listener *listener, struct error *error);
