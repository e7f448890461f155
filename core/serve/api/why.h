/* why: the answer to why a task does not run, in the making; see why.c. */
#pragma once

#include "execute/group.h"
#include "serve/api/internal.h"
#include "support/buffer.h"

struct why {
    struct api *api;
    const char *code;   /* the reason in a word, as the API has it; static */
    struct buffer text; /* the same as a sentence */
};

/* Says why a task that a group has accepted does not run there. Any thread, no lock held. */
void why_say_group(struct why *why, struct group *group, const struct task *task);
