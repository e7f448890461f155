#include "store/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "store/ledger_thread.h"
#include "support/log.h"
#include "support/memory.h"

static void ledger_free(struct ledger *ledger)
{
    cond_fini(&ledger->work);
    cond_fini(&ledger->written);
    cond_fini(&ledger->room);
    sqlite_writer_destroy(&ledger->writer);
    free(ledger);
}

struct ledger *ledger_create(struct sqlite *sqlite, sqlite3 *db, struct error *error)
{
    struct ledger *ledger = memory_grow(NULL, 1, sizeof(*ledger));

    *ledger = (struct ledger){.sqlite = sqlite, .again_ns = LEDGER_AGAIN_NS};
    cond_init(&ledger->work);
    cond_init(&ledger->written);
    cond_init(&ledger->room);
    ledger_waits_init(&ledger->waits);
    ledger->orders_end = &ledger->orders;
    ledger->pace = (struct ledger_pace){.queue = &sqlite->queue,
                                        .waits = &ledger->waits,
                                        .interval_ns = sqlite->store.options.commit_interval_ns};
    ledger->at = sqlite_queue_begin(&sqlite->queue);
    ledger->writer = sqlite_writer_create(sqlite, db, error);
    if (ledger->writer != NULL) {
        ledger->meta = ledger->writer->meta;
        ledger->writer->has_more = true; /* a sweep may not be over */
    }
    if (ledger->writer == NULL ||
        !thread_start(&ledger->thread, "ledger", ledger_run, ledger, error)) {
        ledger_free(ledger);
        return NULL;
    }
    return ledger;
}

/* Frees jobs that are out of the index and whose last record will not be read. */
static void free_left(struct ledger *ledger)
{
    struct sqlite_cursor cursor = ledger->at;

    while (cursor.passed < ledger->sqlite->queue.pushed) {
        struct sqlite_job *job = sqlite_queue_next(&cursor)->job;
        if (job != NULL && job->is_out && job->said_at == cursor.passed)
            sqlite_job_destroy(&job);
    }
}

void ledger_destroy(struct ledger **place)
{
    struct ledger *ledger = *place;

    *place = NULL;
    if (ledger == NULL)
        return;
    mutex_lock(&ledger->sqlite->lock);
    ledger->is_stopping = true;
    ledger->stop_failures = ledger->failures;
    ledger_pace_demand(&ledger->pace, ledger->sqlite->queue.pushed);
    cond_signal(&ledger->work); /* also if it waits to try again */
    mutex_unlock(&ledger->sqlite->lock);
    thread_join(&ledger->thread);
    uint64_t lost = ledger->sqlite->queue.pushed - ledger->pace.durable;
    if (lost > 0)
        log_error("the store was closed before everything was written",
                  LOG_TEXT("reason", ledger->why), LOG_NUMBER("records", lost));
    free_left(ledger);
    ledger_free(ledger);
}

void ledger_wait_for_room(struct ledger *ledger)
{
    struct sqlite *sqlite = ledger->sqlite;

    while (!ledger->has_room &&
           sqlite->queue.pushed_bytes - ledger->pace.durable_bytes >= SQLITE_QUEUE_MOST_BYTES)
        cond_wait(&ledger->room, &sqlite->lock);
}

void ledger_wait_no_more(struct ledger *ledger)
{
    MUTEX_GUARD(&ledger->sqlite->lock);
    ledger->has_room = true;
    cond_broadcast(&ledger->room);
}

/* With the lock. */
static void wake(struct ledger *ledger)
{
    if (ledger->rest == LEDGER_WORKS)
        return;
    ledger->rest = LEDGER_WORKS;
    cond_signal(&ledger->work);
}

void ledger_notify(struct ledger *ledger)
{
    ledger_pace_said(&ledger->pace);
    if (ledger->rest == LEDGER_SLEEPS || ledger_pace_presses(&ledger->pace))
        wake(ledger);
}

/* With the lock. */
static void wake_if_pressing(struct ledger *ledger)
{
    if (ledger_pace_presses(&ledger->pace))
        wake(ledger);
}

/* Somebody waits for all of the queue up to here. With the lock. */
static void demand(struct ledger *ledger, uint64_t until)
{
    ledger_pace_demand(&ledger->pace, until);
    wake_if_pressing(ledger);
}

bool ledger_sync(struct ledger *ledger, struct error *error)
{
    struct sqlite *sqlite = ledger->sqlite;

    MUTEX_GUARD(&sqlite->lock);
    uint64_t until = sqlite->queue.pushed, failures = ledger->failures;
    demand(ledger, until);
    while (ledger->pace.durable < until && !ledger->is_failing && ledger->failures == failures)
        cond_wait(&ledger->written, &sqlite->lock);
    return ledger->pace.durable >= until || error_set(error, "store_failed", "%s", ledger->why);
}

bool ledger_order(struct ledger *ledger, struct ledger_order *order)
{
    struct sqlite *sqlite = ledger->sqlite;

    MUTEX_GUARD(&sqlite->lock);
    if (ledger->is_failing)
        return error_set(order->error, "store_failed", "%s", ledger->why);
    order->next = NULL;
    order->is_done = false;
    order->said_at = sqlite->queue.pushed;
    *ledger->orders_end = order;
    ledger->orders_end = &order->next;
    demand(ledger, order->said_at);
    wake(ledger);
    while (!order->is_done)
        cond_wait(&ledger->written, &sqlite->lock);
    return order->is_right;
}

void ledger_when_durable(struct ledger *ledger, struct store_wait *wait)
{
    struct sqlite *sqlite = ledger->sqlite;

    mutex_lock(&sqlite->lock);
    const struct sqlite_job *job = sqlite_index_find(&sqlite->index, wait->job);
    bool given_up = job == NULL && sqlite_index_was_given_up(&sqlite->index, wait->job);
    bool waits = job != NULL && job->added_at > ledger->pace.durable;
    if (waits) {
        ledger_waits_add(&ledger->waits, wait);
        ledger_pace_want(&ledger->pace, job->added_at);
        wake_if_pressing(ledger);
    }
    mutex_unlock(&sqlite->lock);
    if (waits)
        return;
    wait->next = NULL;
    ledger_waits_answer(wait, given_up ? ledger_refusal : NULL);
}

bool ledger_is_well(struct ledger *ledger, struct error *error)
{
    MUTEX_GUARD(&ledger->sqlite->lock);
    return !ledger->is_failing || error_set(error, "store_failed", "%s", ledger->why);
}

void ledger_count(struct ledger *ledger, struct store_counts *counts)
{
    ledger_sync(ledger, NULL);
    MUTEX_GUARD(&ledger->sqlite->lock);
    const struct sqlite_meta *meta = &ledger->meta;
    *counts = (struct store_counts){
        .jobs = meta->jobs,
        .delayed = meta->delayed,
        .finished_bytes = meta->lines[SQLITE_FINISHED].bytes,
        .dead_bytes = meta->lines[SQLITE_DEAD].bytes,
        .finished_dropped = ledger->dropped[SQLITE_FINISHED],
        .dead_dropped = ledger->dropped[SQLITE_DEAD],
        .claims = claims_count(&ledger->sqlite->index.claims),
    };
    memcpy(counts->by_state, meta->held, sizeof(counts->by_state));
}

struct histogram_total *ledger_commit_times(struct ledger *ledger)
{
    return &ledger->times;
}
