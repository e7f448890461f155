/* id_index: which ids a job has used, and by which task. Belongs to the job's reader thread. Holds
 * all ids of a checked job; of a streamed one at least the last JOB_STREAM_WINDOW, in constant
 * memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_index;

/* Makes an empty index that remembers at least the last `window` ids and copies them, or all of
 * them and borrows them if window is 0. */
struct id_index *id_index_create(uint32_t window);

/* Frees it; clears the pointer; accepts NULL. */
void id_index_destroy(struct id_index **index);

/* Hashes an id, once for the calls below. */
uint64_t id_index_hash(const char *id, size_t length);

/* Says that an id with this hash is soon looked for and added: fetches its place in a large index
 * while the caller does something else. */
void id_index_expect(const struct id_index *index, uint64_t hash);

/* Finds the number of the task with an id; false if there is none, and *number is as it was. */
bool id_index_find(const struct id_index *index, uint64_t hash, const char *id, uint32_t *number);

/* Returns whether the id is that of the task with a number, which is cheaper than to find it; false
 * too if that is not among the last `window`. */
bool id_index_is(const struct id_index *index, uint32_t number, const char *id);

/* Adds an id that is not in it, length bytes and a NUL; numbers come in order, each one more than
 * the last. */
void id_index_add(struct id_index *index, uint64_t hash, const char *id, size_t length,
                  uint32_t number);

/* Takes the id that was added last out again. */
void id_index_take_back(struct id_index *index);
