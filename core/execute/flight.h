/* flight: the flight recorder: which task each worker has in hand, in a file that outlives the
 * host, so that the next one can read it: a slot a worker in a mapping of it, written by plain
 * stores. Created by the executor; slots are taken and given back by any thread, and written by the
 * worker that has one.
 *
 * The file, in the byte order of the machine: a header (see flight.c), then the slots. It lies
 * beside the store's, whose lock guards it: job keys and attempts mean what that store says. All of
 * it is allocated when it is made, for a hole on a full disk would be SIGBUS in a worker. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/error.h"

enum { FLIGHT_SLOTS = 4096 }; /* workers with one; what are more go unrecorded */

struct flight;

/* What a worker writes down. The rest of its line of the cache is nobody else's. */
struct flight_slot {
    _Atomic uint64_t job;       /* of the batch: its key in the store */
    _Atomic uint64_t at;        /* place of the task in the job << 32 | name of the attempt */
    _Atomic int64_t started_ns; /* the call, by the monotonic clock */
    _Atomic uint64_t apart;     /* 1: in a worker process: no host dies of it */
    uint64_t spare[4];
};

/* Says of which job a batch is. After flight_clear, or of the same job as before. */
static inline void flight_begin(struct flight_slot *slot, uint64_t job)
{
    atomic_store_explicit(&slot->job, job, memory_order_release);
    atomic_store_explicit(&slot->apart, 0, memory_order_relaxed);
}

/* Says which call begins. Released, so that none of it is seen before what went before. */
static inline void flight_write(struct flight_slot *slot, uint64_t at, int64_t started_ns)
{
    atomic_store_explicit(&slot->started_ns, started_ns, memory_order_release);
    atomic_store_explicit(&slot->at, at, memory_order_release);
}

/* The same of a call that is made in a worker process. */
static inline void flight_write_apart(struct flight_slot *slot, uint64_t at, int64_t started_ns)
{
    atomic_store_explicit(&slot->apart, 1, memory_order_relaxed);
    flight_write(slot, at, started_ns);
}

/* Says that nothing is in hand. */
static inline void flight_clear(struct flight_slot *slot)
{
    atomic_store_explicit(&slot->at, 0, memory_order_release);
}

/* A task that was in hand when its host died. */
struct flight_task {
    uint64_t job;
    uint32_t number, attempt;
    int64_t started_wall_ns;
    bool is_apart;
};

struct flight_found {
    struct flight_task *tasks;
    size_t count;
};

/* Reads what the host of an earlier epoch has left. No file is nothing found. False with a message
 * if it is damaged, or not of an earlier host with this store: then it says nothing. Blocks. */
bool flight_read(const char *path, uint64_t epoch, struct flight_found *found, struct error *error);

/* Frees it. */
void flight_found_fini(struct flight_found *found);

/* Makes a recorder with so many slots for the host of an epoch, beside the file of the one before
 * (PATH.new). NULL with a message: the disk is full. Blocks. */
struct flight *flight_create(const char *path, uint64_t epoch, uint32_t slots, struct error *error);

/* Puts its file in place of the one before, which was read. False with a message. Blocks. */
bool flight_replace(struct flight *flight, struct error *error);

/* Lets go of the file, which stays as it is; clears the pointer; accepts NULL. */
void flight_destroy(struct flight **flight);

/* Takes a slot for a worker; NULL: there is none left, and it is counted. Any thread. */
struct flight_slot *flight_take(struct flight *flight);

/* Clears a slot and gives it back. Any thread. */
void flight_give_back(struct flight *flight, struct flight_slot *slot);

/* Returns how many workers have found no slot. Any thread. */
uint64_t flight_unrecorded(struct flight *flight);
