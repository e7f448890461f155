/* starts: whose turn it is to be started: that code of a build runs in the host for the first time.
 * All go at once, but for a build in whose start a host has died (fallen.h): it goes alone, so that
 * the next death is nobody else's, and after FALLEN_DEATHS_MOST not at all. A registry that loads
 * everything begins with those: threads of others could end the host as well. Owned by the
 * registry; loader thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plugin/fallen.h"
#include "plugin/note.h"
#include "plugin/plugin_file.h"
#include "support/error.h"

/* One start. Embedded in what is started. */
struct start {
    char build[FALLEN_BUILD_BYTES]; /* which one, in words that mean the same in every host */
    void (*run)(void *context);
    void *context;
    /* the own of starts */
    struct start *next;
    bool is_in_hand; /* it has its turn */
    bool is_marked;  /* fallen_begin was called for it */
};

/* Zeroed, with fallen, before its first use. */
struct starts {
    struct fallen *fallen; /* NULL: nobody is suspected; borrowed */
    struct start *first;   /* that waits */
    uint32_t in_hand_count;
    bool is_alone; /* the one that is in hand */
    bool is_busy;  /* one is just being run */
};

/* Writes down what names a build: not where its file lies, which a copy changes. */
void starts_name_build(char build[FALLEN_BUILD_BYTES], const struct note *note,
                       const struct identity *identity);

/* Returns whether a host has died in a build's start. Any thread, while nothing is started. */
bool starts_suspect(const struct starts *starts, const char *build);

/* Says whether a build may be started; false with a message if too many hosts have died of it. */
bool starts_allow(const struct starts *starts, const char *build, struct error *error);

/* Has a start run, at once or when it is its turn. */
void starts_begin(struct starts *starts, struct start *start);

/* Says that it takes too long: its turn is over, but the host may still die of it. */
void starts_give_up(struct starts *starts, struct start *start);

/* Says that it is over. Nothing happens if it was not begun, or is over already. */
void starts_end(struct starts *starts, struct start *start);

/* Runs those whose turn has come, after starts_end. */
void starts_next(struct starts *starts);
