/* ledger_pace: when the ledger writes. What somebody waits for (a receipt, a look, an order) is
 * written at once, and what else was said by then goes with it. What nobody waits for, such as the
 * ends of tasks, waits for company up to commit_interval, counted from when the first of it was
 * said, or until it fills a transaction: a commit of its own would hold up those that somebody
 * waits for.
 *
 * Waking a thread costs as much as all that is said about a task. So the ledger sleeps only once
 * nothing was said for an interval; before that it dozes, and looks by itself what has come.
 *
 * Embedded in the ledger; all with the store's lock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/ledger_company.h"
#include "store/ledger_waits.h"
#include "store/sqlite_queue.h"

struct ledger_pace {
    const struct sqlite_queue *queue; /* immutable, as are: */
    const struct ledger_waits *waits;
    int64_t interval_ns;
    uint64_t durable, durable_bytes; /* how much of the queue is written */
    uint64_t wanted;                 /* one of .waits waits for the queue up to here, */
    uint64_t demanded;               /* and somebody who waits for no company up to here */
    uint64_t seen;                   /* how much of it the ledger has looked at */
    int64_t unseen_ns;               /* when the first behind that was said; 0: there is none */
    int64_t wrote_ns;                /* when the last commit ended */
    struct ledger_company company;
};

enum ledger_rest {
    LEDGER_WORKS,
    LEDGER_DOZES,  /* until a time; only what presses wakes it */
    LEDGER_SLEEPS, /* whatever is said wakes it */
};

/* Notes that something may have been pushed. */
void ledger_pace_said(struct ledger_pace *pace);

/* Notes that one of .waits waits for all of the queue up to here: others who are about to come may
 * join him first. */
void ledger_pace_want(struct ledger_pace *pace, uint64_t until);

/* Notes that somebody else does, for whom it is to be written at once. */
void ledger_pace_demand(struct ledger_pace *pace, uint64_t until);

/* Returns how much was said by now: that is no news from then on. */
uint64_t ledger_pace_look(struct ledger_pace *pace);

/* Notes that the transaction with the records up to a cursor is durable, what it has taken, and how
 * many of .waits it has told. */
void ledger_pace_wrote(struct ledger_pace *pace, const struct sqlite_cursor *cursor,
                       int64_t took_ns, size_t told);

/* Returns whether something is to be written at once: somebody waits for it, it fills a
 * transaction, or it was left over by the last one. */
bool ledger_pace_presses(const struct ledger_pace *pace);

/* Returns when what was said is to be on its way to the disk; for what is left over: it is late. */
int64_t ledger_pace_latest_ns(const struct ledger_pace *pace);

/* Returns whether that time has come for something. */
bool ledger_pace_is_late(const struct ledger_pace *pace);

/* Returns how to wait while nothing presses, and until when to doze. */
enum ledger_rest ledger_pace_rest(const struct ledger_pace *pace, int64_t *until_ns);
