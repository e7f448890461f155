#include "store/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/ledger_pace.h"
#include "store/ledger_waits.h"
#include "store/sqlite.h"
#include "store/sqlite_write.h"
#include "support/clock.h"
#include "support/log.h"
#include "support/memory.h"

#define AGAIN_FIRST_NS (100 * NS_PER_MS) /* after a failure; then twice as long each time, up to */
#define AGAIN_MOST_NS  (1 * NS_PER_S)

struct ledger {
    struct sqlite *sqlite;
    struct thread thread;
    /* All with the store's lock. */
    struct cond work;    /* for the ledger: something is to be done */
    struct cond written; /* for others: durable or failures has changed, or an order is done */
    struct cond room;    /* for others: the queue has become shorter */
    bool is_stopping;
    bool has_room;          /* whatever is not written: nobody waits for room any more */
    uint64_t stop_failures; /* how often it had failed when it was to stop: it tries once more */
    enum ledger_rest rest;  /* how it waits for work */
    struct ledger_pace pace;
    bool is_failing;
    uint64_t failures;
    char why[ERROR_MESSAGE_BYTES];
    struct ledger_waits waits;
    struct ledger_order *orders, **orders_end;
    struct sqlite_meta meta;
    uint64_t dropped[SQLITE_CLASS_COUNT];
    /* The ledger's. */
    struct sqlite_writer *writer;
    struct sqlite_cursor at; /* in front of what is not written */
    int64_t again_ns;
    /* Any thread. */
    struct histogram_total times;
};

static const char refusal[] = "the job could not be written, or another one has its id";

/* The transaction with the records up to a cursor is durable. */
static void wrote(struct ledger *ledger, const struct sqlite_cursor *cursor, int64_t took_ns)
{
    struct sqlite *sqlite = ledger->sqlite;

    mutex_lock(&sqlite->lock);
    bool was_failing = ledger->is_failing;
    ledger->at = *cursor;
    ledger->is_failing = false;
    ledger->meta = ledger->writer->meta;
    memcpy(ledger->dropped, ledger->writer->dropped, sizeof(ledger->dropped));
    sqlite_queue_forget(&sqlite->queue, cursor);
    size_t before = ledger->waits.count;
    struct store_wait *refused = ledger_waits_take_refused(&ledger->waits, &sqlite->index);
    struct store_wait *right =
        ledger_waits_take_durable(&ledger->waits, &sqlite->index, cursor->passed);
    ledger_pace_wrote(&ledger->pace, cursor, took_ns, before - ledger->waits.count);
    cond_broadcast(&ledger->written);
    cond_broadcast(&ledger->room);
    mutex_unlock(&sqlite->lock);
    ledger->again_ns = AGAIN_FIRST_NS;
    if (was_failing)
        log_info("the store writes again", LOG_TEXT("path", sqlite->path));
    ledger_waits_answer(refused, refusal);
    ledger_waits_answer(right, NULL);
}

/* Of a job that is not durable yet nothing is kept; who waits for it is to hear so. With the
 * lock. */
static void give_up_job(struct ledger *ledger, struct sqlite_job *job)
{
    struct sqlite *sqlite = ledger->sqlite;

    if (job->is_out)
        return;
    sqlite_index_give_up(&sqlite->index, job);
    if (job->row.durable.is_there) {
        sqlite_queue_push(&sqlite->queue, SQLITE_RECORD_FORGET, job, 0);
        job->said_at = sqlite->queue.pushed;
    }
}

static void give_up_jobs(struct ledger *ledger, const struct sqlite_cursor *until)
{
    if (ledger->sqlite->store.options.jobs_wait)
        return;
    struct sqlite_cursor cursor = ledger->at;

    while (cursor.passed < until->passed) {
        const struct sqlite_record *record = sqlite_queue_next(&cursor);
        if (record->kind == SQLITE_RECORD_JOB || record->kind == SQLITE_RECORD_CHUNK ||
            record->kind == SQLITE_RECORD_SEAL)
            give_up_job(ledger, record->job);
    }
}

/* With the lock. */
static void refuse_orders(struct ledger *ledger)
{
    for (struct ledger_order *order = ledger->orders; order != NULL; order = order->next) {
        order->is_done = true;
        order->is_right = error_set(order->error, "store_failed", "%s", ledger->why);
    }
    ledger->orders = NULL;
    ledger->orders_end = &ledger->orders;
}

/* Waits until it is time to try again, or to stop. */
static void wait_again(struct ledger *ledger)
{
    struct sqlite *sqlite = ledger->sqlite;
    int64_t until_ns = clock_now_ns() + ledger->again_ns;

    ledger->again_ns *= 2;
    if (ledger->again_ns > AGAIN_MOST_NS)
        ledger->again_ns = AGAIN_MOST_NS;
    MUTEX_GUARD(&sqlite->lock);
    while (!ledger->is_stopping && cond_wait_until(&ledger->work, &sqlite->lock, until_ns))
        ;
}

/* The transaction with the records up to a cursor has failed. */
static void failed(struct ledger *ledger, const struct sqlite_cursor *cursor)
{
    struct sqlite *sqlite = ledger->sqlite;
    struct error error;

    sqlite_writer_failed(ledger->writer, &error);
    sqlite_writer_take_back(ledger->writer); /* before anybody hears that a job in it is refused */
    mutex_lock(&sqlite->lock);
    bool is_first = !ledger->is_failing;
    ledger->is_failing = true;
    ledger->failures++;
    memcpy(ledger->why, error.message, sizeof(ledger->why));
    give_up_jobs(ledger, cursor);
    struct store_wait *refused = ledger_waits_take_refused(&ledger->waits, &sqlite->index);
    refuse_orders(ledger);
    cond_broadcast(&ledger->written);
    mutex_unlock(&sqlite->lock);
    if (is_first)
        log_error("the store cannot write", LOG_TEXT("reason", error.message));
    ledger_waits_answer(refused, error.message);
    wait_again(ledger);
}

/* Returns how much was said by now. */
static uint64_t look(struct ledger *ledger)
{
    MUTEX_GUARD(&ledger->sqlite->lock);
    return ledger_pace_look(&ledger->pace);
}

/* Writes what is there, and what comes meanwhile, up to the size of a commit or until a time. */
static bool write_records(struct ledger *ledger, struct sqlite_cursor *cursor, int64_t until_ns)
{
    uint64_t most = cursor->passed + SQLITE_COMMIT_RECORDS;
    uint64_t most_bytes = cursor->passed_bytes + SQLITE_COMMIT_BYTES, seen = cursor->passed;

    while (cursor->passed < most && cursor->passed_bytes < most_bytes) {
        bool is_late = seen > ledger->at.passed && clock_now_ns() > until_ns;
        if (cursor->passed == seen && (is_late || (seen = look(ledger)) == cursor->passed))
            break;
        while (cursor->passed < seen && cursor->passed < most && cursor->passed_bytes < most_bytes)
            if (!sqlite_writer_apply(ledger->writer, sqlite_queue_next(cursor)))
                return false;
    }
    return true;
}

/* Writes one transaction, which goes on taking in what comes until a time. */
static void write_some(struct ledger *ledger, int64_t until_ns)
{
    struct sqlite_cursor cursor = ledger->at;
    struct histogram time = {0};
    int64_t began_ns = clock_now_ns();

    bool right = sqlite_writer_begin(ledger->writer) && write_records(ledger, &cursor, until_ns);
    ledger->writer->written = right ? cursor.passed : ledger->at.passed;
    if (!right || !sqlite_writer_commit(ledger->writer)) {
        ledger->writer->written = ledger->at.passed;
        failed(ledger, &cursor);
        return;
    }
    int64_t took_ns = clock_now_ns() - began_ns;
    histogram_add(&time, took_ns);
    histogram_merge(&ledger->times, &time);
    wrote(ledger, &cursor, took_ns);
}

static void carry_out(struct ledger *ledger, struct ledger_order *order)
{
    bool right = order->run(order, ledger->writer, order->error);

    if (!right)
        sqlite_writer_undo(ledger->writer);
    MUTEX_GUARD(&ledger->sqlite->lock);
    ledger->meta = ledger->writer->meta;
    memcpy(ledger->dropped, ledger->writer->dropped, sizeof(ledger->dropped));
    order->is_right = right;
    order->is_done = true;
    cond_broadcast(&ledger->written);
}

/* Takes the next order out of the list; NULL if there is none, or what was said before it is not
 * written yet. With the lock. */
static struct ledger_order *take_order(struct ledger *ledger)
{
    struct ledger_order *order = ledger->orders;

    if (order == NULL || ledger->pace.durable < order->said_at)
        return NULL;
    ledger->orders = order->next;
    if (ledger->orders == NULL)
        ledger->orders_end = &ledger->orders;
    return order;
}

/* With the lock. */
static void wake(struct ledger *ledger)
{
    if (ledger->rest == LEDGER_WORKS)
        return;
    ledger->rest = LEDGER_WORKS;
    cond_signal(&ledger->work);
}

/* Waits until something is pressing, or it is time to look again. With the lock. */
static void rest(struct ledger *ledger)
{
    struct mutex *lock = &ledger->sqlite->lock;
    int64_t until_ns;

    ledger->rest = ledger_pace_rest(&ledger->pace, &until_ns);
    if (ledger->rest == LEDGER_DOZES)
        cond_wait_until(&ledger->work, lock, until_ns);
    else
        cond_wait(&ledger->work, lock);
    ledger->rest = LEDGER_WORKS;
}

enum ledger_next { LEDGER_WAIT, LEDGER_WRITE, LEDGER_ORDER, LEDGER_STOP };

/* What is to be done now. *order is taken out of the list. With the lock. */
static enum ledger_next next_work(struct ledger *ledger, struct ledger_order **order)
{
    *order = take_order(ledger);
    if (*order != NULL)
        return LEDGER_ORDER;
    if (ledger->is_stopping && ledger->failures > ledger->stop_failures)
        return LEDGER_STOP;
    if (ledger_pace_presses(&ledger->pace)) /* all that is left, if it is to stop */
        return LEDGER_WRITE;
    if (ledger->is_stopping)
        return LEDGER_STOP;
    /* If it fails, nobody else would find it well. */
    bool is_due =
        ledger->writer->has_more || ledger->is_failing || ledger_pace_is_late(&ledger->pace);
    return is_due ? LEDGER_WRITE : LEDGER_WAIT;
}

/* Waits until there is something to do, and until when a transaction may go on. */
static enum ledger_next wait_for_work(struct ledger *ledger, struct ledger_order **order,
                                      int64_t *until_ns)
{
    MUTEX_GUARD(&ledger->sqlite->lock);
    enum ledger_next now;

    while ((now = next_work(ledger, order)) == LEDGER_WAIT)
        rest(ledger);
    *until_ns = ledger_pace_latest_ns(&ledger->pace);
    return now;
}

static void run(void *argument)
{
    struct ledger *ledger = argument;
    struct ledger_order *order = NULL;
    int64_t until_ns;

    for (;;) {
        switch (wait_for_work(ledger, &order, &until_ns)) {
        case LEDGER_WAIT:
            break;
        case LEDGER_WRITE:
            write_some(ledger, until_ns);
            break;
        case LEDGER_ORDER:
            carry_out(ledger, order);
            break;
        case LEDGER_STOP:
            return;
        }
    }
}

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

    *ledger = (struct ledger){.sqlite = sqlite, .again_ns = AGAIN_FIRST_NS};
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
    if (ledger->writer == NULL || !thread_start(&ledger->thread, "ledger", run, ledger, error)) {
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
    ledger_waits_answer(wait, given_up ? refusal : NULL);
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
