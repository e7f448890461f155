/* starts: whose turn it is to be started: that code of a build runs in the host for the first time.
 * All go at once, but for a build in whose start a host has died (fallen.h): it goes alone, so that
 * the next death is nobody else's, and after FALLEN_DEATHS_MOST not at all. Owned by the registry;
 * loader thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plugin/fallen.h"
#include "support/error.h"

/* One start. Embedded in what is started. */
struct start {
    char build[FALLEN_BUILD_BYTES]; /* which one, in words that mean the same in every host */
    void (*run)(void *context);
    void *context;
    /* the own of starts */
    struct start *next;
    bool is_in_hand;
};

/* Zeroed, with fallen, before its first use. */
struct starts {
    struct fallen *fallen; /* NULL: nobody is suspected; borrowed */
    struct start *first;   /* that waits */
    uint32_t in_hand_count;
    bool is_alone; /* the one that is in hand */
    bool is_busy;  /* one is just being run */
};

/* Says whether a build may be started; false with a message if too many hosts have died of it. */
bool starts_allow(const struct starts *starts, const char *build, struct error *error);

/* Has a start run, at once or when it is its turn. */
void starts_begin(struct starts *starts, struct start *start);

/* Says that it is over. Nothing happens if it was not begun, or is over already. */
void starts_end(struct starts *starts, struct start *start);

/* Runs those whose turn has come, after starts_end. */
void starts_next(struct starts *starts);
