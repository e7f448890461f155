/* receipts: submissions that have room and wait until they are on disk: only then may their
 * sender be told that they were taken, and their tasks enter. Made by the submissions of a host
 * whose store is durable.
 *
 * The sender is told on the store's thread, so that he does not wait for one more to be woken. What
 * may wait (for inbound, for the store) is left to a thread of their own. */
#pragma once

#include "accept/intake.h"
#include "accept/submission.h"
#include "support/error.h"

struct receipts;

struct receipts_options {
    struct intake intake;
    void *context;
    /* The submission is durable, or lost (is_lost; the reason is in refusal) and in no store: its
     * tasks are in submission->tasks, counted and ACCEPTED, to be given back; or they were taken
     * out, to enter once this has returned, if none holds its place. On the receipts' thread; on
     * the store's if it is durable, none holds its place, and each of its jobs has tasks, so that
     * none is over by this: what follows from that may ask the store. */
    void (*settled)(void *context, struct submission *submission);
};

/* Starts the thread; NULL with a message. */
struct receipts *receipts_start(const struct receipts_options *options, struct error *error);

/* Puts a submission, all of which has room, into the store and keeps it until it is settled.
 * Waits for the disk only while too much is not written yet. Any thread. */
void receipts_take(struct receipts *receipts, struct submission *submission);

/* Waits until all that were taken are settled, joins the thread and frees it; nothing more is
 * taken. Clears the pointer; accepts NULL. */
void receipts_stop(struct receipts **receipts);
