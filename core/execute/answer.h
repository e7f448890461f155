/* answer: what a plugin's answer means for its task's attempt, wherever the call was made.
 * Stateless; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "execute/performer.h"
#include "outcome/outcome.h"

/* A text that an attempt's message may have to be made in; it lives as long as the attempt. */
struct answer_text {
    char bytes[CALL_MESSAGE_BYTES];
};

/* How the call was asked to end, if it was. */
struct answer_asked {
    int64_t deadline_ns; /* of the call; CLOCK_NEVER_NS: none */
    int64_t timeout_ns;  /* that it stands for */
};

/* Fills verdict, reason, message, outputs and the pause of an attempt whose times are known.
 * asked: NULL if the call was not asked to end. Borrows the answer's texts. */
void answer_read(const struct answer *answer, const struct answer_asked *asked,
                 struct answer_text *text, struct attempt *attempt);
