/* sqlite_said: what the records of store_sqlite's queue hold: written under its lock by whoever
 * calls, read by the ledger. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/stored.h"

struct sqlite_said_chunk {
    uint32_t first, count;
    uint32_t due_count; /* of them have a due time */
    uint32_t bytes;
    char tasks[];
};

struct sqlite_said_end {
    uint32_t number;
    uint32_t word; /* as it was: sqlite_words.h */
    enum store_state state;
    uint32_t message_at, outputs_at, outputs_bytes;
    int64_t started_wall_ns, ended_wall_ns;
    char texts[]; /* reason NUL message NUL outputs */
};

struct sqlite_said_retry {
    uint32_t number;
    uint32_t word;
    bool charged;
    uint32_t message_at;
    int64_t started_wall_ns, ended_wall_ns;
    int64_t due_wall_ns;
    char texts[]; /* reason NUL message NUL */
};

struct sqlite_said_log {
    uint32_t number;
    uint32_t length;
    char text[];
};

struct sqlite_said_block {
    uint32_t block; /* of SQLITE_WORDS_IN_BLOCK tasks, all of which have ended */
};

struct sqlite_said_claim {
    uint32_t id_at;
    char texts[]; /* key NUL id NUL; no id: the key is given up */
};
