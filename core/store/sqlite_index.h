/* sqlite_index: what store_sqlite knows without its file: the jobs of which something may still
 * change or is not written yet, which attempt of each of their tasks is current, and the claims.
 * Everything is guarded by the store's lock, but for `row` in a job, which is the ledger's. Only
 * the ledger takes jobs out, so its pointers to them stay good. */
#pragma once

#include "store/claims.h"
#include "store/sqlite_file.h"
#include "store/sqlite_words.h"
#include "store/store.h"
#include "support/dictionary.h"

/* Jobs that are given up together have keys one behind the other, but for those that were in the
 * file already: who is answered late finds his among so many ranges. */
enum { SQLITE_GIVEN_UP_RANGES = 1024 };

/* A job in the file, as the ledger sees it: now in its transaction, and as committed. */
struct sqlite_row {
    uint64_t key;
    struct sqlite_state {
        struct sqlite_facts facts;
        bool is_there;   /* it has a row in `job` */
        bool is_gone;    /* it is forgotten, and its row is to go if there is one */
        bool is_refused; /* so, since a job that is over has its id */
    } now, durable;
    bool is_dirty;                  /* now differs from what is in the file */
    bool is_touched;                /* in this transaction: it is in the list */
    struct sqlite_job *job;         /* in the index; NULL: it was read for this transaction */
    struct sqlite_row *next;        /* that was touched */
    struct sqlite_row *next_loaded; /* in a bucket of those that were read */
};

struct sqlite_job {
    struct dictionary_entry by_id;
    struct sqlite_job *next; /* in its bucket */
    uint64_t key;
    struct store_job_given given;
    struct sqlite_words words;
    bool sealed;
    bool is_out;       /* of the index; the ledger frees it when no record names it any more */
    bool given_up;     /* so, and what was said of it is not to be written */
    uint64_t said_at;  /* how many records there were with the last that names it, */
    uint64_t added_at; /* with the last that adds something to it */
    struct sqlite_row row;
    char texts[]; /* of given */
};

struct sqlite_index {
    struct sqlite_job **buckets;
    size_t buckets_count, count;
    struct sqlite_job *in_hand; /* was found last; may be NULL */
    struct dictionary by_id;
    struct claims claims;
    uint64_t next_key;
    struct { /* the keys of jobs that were given up: the latest ranges, in a ring */
        uint64_t first, last;
    } given_up[SQLITE_GIVEN_UP_RANGES];
    uint32_t given_up_latest;
};

/* Makes an empty index. */
void sqlite_index_init(struct sqlite_index *index);

/* Frees everything in it. */
void sqlite_index_fini(struct sqlite_index *index);

/* Finds a job by its key; NULL if there is none. */
struct sqlite_job *sqlite_index_find(struct sqlite_index *index, uint64_t key);

/* Makes a job that is not in the index; its texts are copied. Running out of memory aborts. */
struct sqlite_job *sqlite_job_create(const struct store_job_given *given, uint64_t key);

/* Frees a job that is not in the index; clears the pointer; accepts NULL. */
void sqlite_job_destroy(struct sqlite_job **job);

/* Puts a job in. */
void sqlite_index_add(struct sqlite_index *index, struct sqlite_job *job);

/* Takes a job out; not one that is out already. */
void sqlite_index_remove(struct sqlite_index *index, struct sqlite_job *job);

/* Takes out a job that is not to be, and notes that; the ledger still frees it. */
void sqlite_index_give_up(struct sqlite_index *index, struct sqlite_job *job);

/* Returns whether the job with a key was given up, not too long ago. */
bool sqlite_index_was_given_up(const struct sqlite_index *index, uint64_t key);
