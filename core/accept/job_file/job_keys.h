/* job_keys: which keys a job file may have, from one table, job_keys.def. Constants; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/job_file/yaml_node.h"

enum job_key {
#define JOB_KEY(name, word, kind, help) JOB_KEY_##name,
#include "accept/job_file/job_keys.def"
#undef JOB_KEY
    JOB_KEY_COUNT,
};

enum task_key {
#define TASK_KEY(name, word, where, kind, help) TASK_KEY_##name,
#include "accept/job_file/job_keys.def"
#undef TASK_KEY
    TASK_KEY_COUNT,
};

enum retry_key {
#define RETRY_KEY(name, word, kind, help) RETRY_KEY_##name,
#include "accept/job_file/job_keys.def"
#undef RETRY_KEY
    RETRY_KEY_COUNT,
};

enum each_key {
#define EACH_KEY(name, word, kind, help) EACH_KEY_##name,
#include "accept/job_file/job_keys.def"
#undef EACH_KEY
    EACH_KEY_COUNT,
};

/* What a key's value is. */
enum key_kind {
#define KEY_KIND(name) KEY_KIND_##name,
#include "accept/job_file/job_keys.def"
#undef KEY_KIND
};

struct key_word {
    const char *word;
    size_t length;
    bool in_defaults; /* task keys: allowed there */
    enum key_kind kind;
    const char *help;
};

struct key_set {
    const char *owner; /* "a job", "a task", "retry", for messages */
    const struct key_word *words;
    int count;
};

/* The bit of a key in task_fields.given. */
static inline uint32_t task_key_bit(enum task_key key)
{
    return UINT32_C(1) << key;
}

extern const struct key_set job_keys;   /* by enum job_key */
extern const struct key_set task_keys;  /* by enum task_key */
extern const struct key_set retry_keys; /* by enum retry_key */
extern const struct key_set each_keys;  /* by enum each_key */

/* Returns the number of a key, or -1. next is where it is likely to be and is moved on. */
int key_find(const struct key_set *set, const struct yaml_node *key, int *next);

/* Returns a malloc'ed hint for a key that is not in the set, or NULL: what was probably meant, or
 * that it belongs to a later version. */
char *key_hint(const struct key_set *set, const struct yaml_node *key);
