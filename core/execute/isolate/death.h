/* death: what the end of a worker process means for the task that was at work in it. Stateless. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "execute/isolate/process.h"
#include "outcome/outcome.h"
#include "support/buffer.h"

struct death {
    struct child_end end;
    struct process *process; /* killed, not dropped yet */
    const char *copy;        /* of its plugin: may have symbols */
    uint64_t memory_most;    /* that it might have; 0: any amount */
    bool was_killed;         /* by us, since its call did not end when it was asked to */
    bool is_late;            /* then: it was asked since its time was up */
    bool was_broken;         /* by us, since it did not keep to the protocol */
};

/* Fills verdict, reason and message of an attempt whose times are known; the message is made in
 * *text and borrowed from there. */
void death_describe(const struct death *death, struct buffer *text, struct attempt *attempt);
