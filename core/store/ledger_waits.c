#include "store/ledger_waits.h"

#include "store/sqlite_index.h"

void ledger_waits_init(struct ledger_waits *waits)
{
    *waits = (struct ledger_waits){.end = &waits->first};
}

void ledger_waits_add(struct ledger_waits *waits, struct store_wait *wait)
{
    wait->next = NULL;
    *waits->end = wait;
    waits->end = &wait->next;
    waits->count++;
}

enum answer { ANSWER_REFUSED, ANSWER_DURABLE };

static bool has_answer(struct sqlite_index *index, const struct store_wait *wait,
                       enum answer answer, uint64_t durable)
{
    const struct sqlite_job *job = sqlite_index_find(index, wait->job);
    switch (answer) {
    case ANSWER_REFUSED:
        return job == NULL && sqlite_index_was_given_up(index, wait->job);
    case ANSWER_DURABLE:
        return job == NULL || job->added_at <= durable;
    }
    return false;
}

static struct store_wait *take(struct ledger_waits *waits, struct sqlite_index *index,
                               enum answer answer, uint64_t durable)
{
    struct store_wait *taken = NULL, **taken_end = &taken, **place = &waits->first;

    while (*place != NULL) {
        struct store_wait *wait = *place;
        if (!has_answer(index, wait, answer, durable)) {
            place = &wait->next;
            continue;
        }
        *place = wait->next;
        *taken_end = wait;
        taken_end = &wait->next;
        waits->count--;
    }
    *taken_end = NULL;
    waits->end = place;
    return taken;
}

struct store_wait *ledger_waits_take_refused(struct ledger_waits *waits, struct sqlite_index *index)
{
    return take(waits, index, ANSWER_REFUSED, 0);
}

struct store_wait *ledger_waits_take_durable(struct ledger_waits *waits, struct sqlite_index *index,
                                             uint64_t durable)
{
    return take(waits, index, ANSWER_DURABLE, durable);
}

static bool is_alike(const struct store_wait *wait, const struct store_wait *other)
{
    return other != NULL && other->done == wait->done && other->context == wait->context;
}

void ledger_waits_answer(struct store_wait *taken, const char *reason)
{
    while (taken != NULL) {
        struct store_wait *next = taken->next;
        struct store_told told = {reason == NULL, reason, is_alike(taken, next)};
        taken->done(taken, &told); /* and perhaps it is gone */
        taken = next;
    }
}
