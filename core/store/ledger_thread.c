#include "store/ledger_thread.h"

#include <string.h>

#include "support/log.h"

#define AGAIN_MOST_NS (1 * NS_PER_S) /* it is tried again at least so often */

const char ledger_refusal[] = "the job could not be written, or another one has its id";

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
    ledger->again_ns = LEDGER_AGAIN_NS;
    if (was_failing)
        log_info("the store writes again", LOG_TEXT("path", sqlite->path));
    ledger_waits_answer(refused, ledger_refusal);
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

void ledger_run(void *argument)
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
