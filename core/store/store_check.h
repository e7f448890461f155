/* store_check: looks whether the file of a store is sound and its tables agree with each other, and
 * mends what can be mended: `sluice fsck`. Nobody else has the store open meanwhile. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/stored.h"
#include "support/error.h"

enum store_check_mode { STORE_CHECK_LOOK, STORE_CHECK_MEND };

struct store_finding {
    const char *what; /* in words, with what was found and how often */
    bool is_mended;
    bool can_be_mended;
};

struct store_check {
    const char *place;
    enum store_check_mode mode; /* becomes LOOK where pages are damaged and stay so */
    void (*report)(void *context, const struct store_finding *finding);
    void *context;
    /* Returns whether what a task was given can be used by who takes it up; NULL: it can. */
    bool (*is_usable)(const struct store_task_given *given);
    bool pages_are_damaged; /* out: it was to mend, and nothing more is mended */
    uint64_t found, mended; /* out: how many findings, how many of them are mended now */
};

/* Checks the store at a place. False with a message if that is not possible: there is none, it is
 * in use, it is of a newer version, or so damaged that it cannot be read. Blocks for long. */
bool store_check(struct store_check *check, struct error *error);
