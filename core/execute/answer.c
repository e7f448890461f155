#include "execute/answer.h"

#include <stdio.h>

#include "support/units.h"

static void give(struct attempt *attempt, enum verdict verdict, const char *reason,
                 const char *message)
{
    attempt->verdict = verdict;
    attempt->reason = reason;
    attempt->message = message;
}

static void read_status(const struct answer *answer, struct answer_text *text,
                        struct attempt *attempt)
{
    const char *code = answer->code[0] != '\0' ? answer->code : "failed";
    attempt->outputs = answer->outputs;
    switch ((enum sluice_status)answer->status) {
    case SLUICE_OK:
        give(attempt, VERDICT_OK, "", "");
        return;
    case SLUICE_FAILED:
        give(attempt, VERDICT_FAILED, code, answer->message);
        return;
    case SLUICE_FAILED_FOR_GOOD:
        give(attempt, VERDICT_FAILED_FOR_GOOD, code, answer->message);
        return;
    case SLUICE_TRY_AGAIN:
        attempt->try_again_ns = answer->try_again_ns;
        give(attempt, VERDICT_TRY_AGAIN, "try_again", "");
        return;
    case SLUICE_CANCELLED:
        give(attempt, VERDICT_CANCELLED, "cancelled", "the plugin ended the call as cancelled");
        return;
    }
    snprintf(text->bytes, sizeof text->bytes, "invalid status %d", (int)answer->status);
    give(attempt, VERDICT_FAILED_FOR_GOOD, "invalid_status", text->bytes);
}

static const char *say_timeout(const struct answer_asked *asked, struct answer_text *text)
{
    char span[32];
    snprintf(text->bytes, sizeof text->bytes, "ran longer than its timeout of %s",
             units_format_duration(asked->timeout_ns, span, sizeof span));
    return text->bytes;
}

/* A call that was asked to end has not done its task, whatever it answers: a plugin that leaves its
 * loop on cancel returns SLUICE_OK. */
static void read_asked(const struct answer *answer, const struct answer_asked *asked,
                       struct answer_text *text, struct attempt *attempt)
{
    const char *said = answer->message[0] != '\0' ? answer->message : NULL;
    attempt->outputs = answer->outputs;
    if (attempt->ended_ns >= asked->deadline_ns)
        give(attempt, VERDICT_TIMED_OUT, "timed_out",
             said != NULL ? said : say_timeout(asked, text));
    else
        give(attempt, VERDICT_CANCELLED, "cancelled", said != NULL ? said : "stopped while it ran");
}

void answer_read(const struct answer *answer, const struct answer_asked *asked,
                 struct answer_text *text, struct attempt *attempt)
{
    if (asked != NULL) {
        read_asked(answer, asked, text, attempt);
        return;
    }
    switch (answer->how) {
    case ANSWER_RETURNED:
        read_status(answer, text, attempt);
        return;
    case ANSWER_NO_WORKER:
        give(attempt, VERDICT_FAILED, "worker_init", answer->message);
        return;
    case ANSWER_NO_PARAMS:
        give(attempt, VERDICT_FAILED_FOR_GOOD, "params_rejected", answer->message);
        return;
    }
}
