/* trial_word: what the process of a trial says to the one that has started it, a packet each. The
 * plugin lives in there: whoever reads a word must expect anything in it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/findings.h"

enum { TRIAL_CHECK_BYTES = 16, TRIAL_TEXT_BYTES = 1000 };

enum trial_word_kind {
    TRIAL_STEP,    /* begins text, of check, which is to take limit_ms at most */
    TRIAL_FINDING, /* result, check, rule, text */
    TRIAL_OVER,    /* the process is about to leave: nothing follows */
};

struct trial_word {
    uint8_t kind, result, rule;
    uint32_t limit_ms;
    char check[TRIAL_CHECK_BYTES];
    char text[TRIAL_TEXT_BYTES];
};

/* In the trial: says a word; what cannot be said is lost. Blocks while there is no room. */
void trial_say(const struct trial_word *word);

/* Says that a step begins. */
void trial_step(const char *check, int64_t limit_ns, const char *text);

/* Says that something was found. */
void trial_found(const struct finding *finding);

/* Outside: reads a word; false if there is none. What it holds is within its limits, texts end. */
bool trial_hear(int fd, struct trial_word *word);
