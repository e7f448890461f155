/* task_extra: what a store keeps with a task so that it can be taken up again, by another host or
 * when it has failed for good: what the store itself has no use for. A packed record of its own,
 * written when the task is added (the store in memory: when it has failed) and read when its job is
 * restored (job_restore.h) or it is tried again (job_again.h). Stateless; any thread.
 * The record, little endian, unaligned: u8 version (1)  u8 when  u8 parts  i64 due
 *   retry, if among the parts: u32 attempts  u32 backoff  i64 delay  i64 max_delay  f64 jitter
 *   unique, if it is: u32 length  bytes  NUL
 *   needs, if they are: u32 n  n places in the store; late: the same, of those it refers to */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/task.h"
#include "support/buffer.h"

/* Places of tasks inside the record, for task_extra_place. */
struct task_extra_places {
    const char *at;
    uint32_t count;
};

/* What a record says; points into it. */
struct task_extra {
    enum task_when when;
    int64_t due_ns; /* as task.due_ns of one that is ACCEPTED */
    bool has_retry;
    struct sluice_retry retry;
    const char *unique; /* NULL: none */
    struct task_extra_places needs, late;
};

/* Adds the record of a task (ACCEPTED, of a job that keeps its needs: job_keep_needs) at the
 * end of the buffer; nothing if there is nothing to say. Whoever owns the task. */
void task_extra_pack(const struct task *task, struct buffer *out);

/* The same for a dead letter (struct task), of which only the retry policy and the unique key are
 * of use when it is tried again: what it needs has been dealt with. See
 * store_options.describe_dead. */
void task_extra_pack_dead(const void *task, struct buffer *out);

/* Reads a record (NULL: nothing was said); false if it is damaged. */
bool task_extra_read(const void *record, size_t bytes, struct task_extra *extra);

/* Returns one of the places; index is below their count. */
uint32_t task_extra_place(const struct task_extra_places *places, uint32_t index);
