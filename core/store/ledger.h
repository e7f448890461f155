/* ledger: the one thread that writes the file of store_sqlite: takes records out of the queue and
 * commits them in groups, tells those who wait, carries out orders, and goes on when the disk
 * fails. Created by the store; any thread may call. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/sqlite_file.h"
#include "store/store.h"
#include "support/histogram.h"

struct ledger;
struct sqlite;
struct sqlite_writer;

/* What is to be done between two transactions. Whoever gives it owns it and waits. */
struct ledger_order {
    /* Does it in one or more transactions of its own; false with a message. On the ledger. */
    bool (*run)(struct ledger_order *order, struct sqlite_writer *writer, struct error *error);
    struct error *error; /* may be NULL */
    /* the ledger's */
    struct ledger_order *next;
    uint64_t said_at; /* records of the queue that come before it */
    bool is_done, is_right;
};

/* Starts it over a connection, which is its own from here on. NULL with a message. */
struct ledger *ledger_create(struct sqlite *sqlite, sqlite3 *db, struct error *error);

/* Writes what is left, if that is possible, and ends; clears the pointer; accepts NULL. */
void ledger_destroy(struct ledger **ledger);

/* Waits while too much is said and not written. With the store's lock, which is given back
 * meanwhile. */
void ledger_wait_for_room(struct ledger *ledger);

/* See store_wait_no_more. */
void ledger_wait_no_more(struct ledger *ledger);

/* Says that there is something new in the queue, which is written within commit_interval: at once
 * only if somebody waits for it. With the store's lock. */
void ledger_notify(struct ledger *ledger);

/* Waits until all that was said is written; false with a message if the disk fails. */
bool ledger_sync(struct ledger *ledger, struct error *error);

/* Has an order carried out; false with a message. */
bool ledger_order(struct ledger *ledger, struct ledger_order *order);

/* See store_when_durable and store_is_well. */
void ledger_when_durable(struct ledger *ledger, struct store_wait *wait);
/* As above. */
bool ledger_is_well(struct ledger *ledger, struct error *error);

/* Fills in what the file holds now. */
void ledger_count(struct ledger *ledger, struct store_counts *counts);

/* Returns how long commits took. */
struct histogram_total *ledger_commit_times(struct ledger *ledger);
