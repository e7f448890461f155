/* ledger_thread: what the ledger's own thread and those who call it share; for the ledger alone. */
#pragma once

#include "store/ledger.h"
#include "store/ledger_pace.h"
#include "store/ledger_waits.h"
#include "store/sqlite.h"
#include "store/sqlite_write.h"
#include "support/clock.h"
#include "support/thread.h"

#define LEDGER_AGAIN_NS (100 * NS_PER_MS) /* after a failure; then twice as long each time */

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

/* What those hear who wait for a job that was given up. */
extern const char ledger_refusal[];

/* The ledger's thread: writes and carries out orders until it is to stop. */
void ledger_run(void *ledger);
