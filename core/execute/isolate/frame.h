/* frame: what the host and a worker process say to each other, as bytes. Both sides take what comes
 * as hostile: a frame that is not exactly what it should be is refused as a whole. Stateless; any
 * thread.
 * A frame, little endian, unaligned: u8 kind, then its members. text: u32 length, bytes, NUL; there
 * is no NUL among the bytes. blob: u32 length, bytes.
 *   SETUP     text plugin's copy  u8 log level  u8 log format  u8 keeps output  u64 memory limit
 *             u32 n  n times (text key, text value)
 *   TASKS     u32 batch  text job  u32 n, 1 to FRAME_TASKS_MOST, n times:
 *             (u32 offer  u32 attempt  i64 timeout  text id  text type  u32 m  m pairs of texts,
 *             sorted: labels  blob parameters)
 *   CANCEL    u32 batch  u32 index
 *   READY
 *   REFUSED   text why
 *   ANSWER    u32 batch  u32 index  u8 how  u8 asked  i64 ended  i32 status  i64 try again
 *             text code  text message  blob outputs
 *   KEEP      u32 batch  u32 index  blob for the task's log
 *   SAID      text: a line of the process's own log
 *   DONE      u32 batch  u8 strays  u64 resident bytes */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "execute/performer.h"
#include "plugin/params.h"
#include "support/arena.h"
#include "support/buffer.h"
#include "support/log.h"

enum {
    FRAME_TASKS_MOST = 64,
    FRAME_LABELS_MOST = 65536,
    FRAME_SETTINGS_MOST = 65536,
};

enum frame_kind {
    FRAME_SETUP = 1,
    FRAME_TASKS,
    FRAME_CANCEL,
    FRAME_READY,
    FRAME_REFUSED,
    FRAME_ANSWER,
    FRAME_KEEP,
    FRAME_SAID,
    FRAME_DONE,
};

struct frame_setup {
    const char *copy;
    enum log_level log_level;
    enum log_format log_format;
    bool keeps_output;                  /* what it prints and logs for a task is to be sent */
    uint64_t memory_most;               /* bytes; 0: no limit */
    const struct sluice_pair *settings; /* of its plugin */
    uint32_t settings_count;
};

struct frame_task {
    uint32_t offer; /* by index */
    uint32_t attempt;
    int64_t timeout_ns; /* 0: none */
    const char *id, *type;
    struct sluice_map labels;
    struct params_text params;
};

struct frame_tasks {
    uint32_t batch;
    const char *job;
    uint32_t count;
    struct frame_task tasks[FRAME_TASKS_MOST];
};

struct frame_answer {
    uint32_t batch, index;
    bool was_asked;        /* to end, before it did */
    int64_t ended_ns;      /* of the monotonic clock */
    struct answer answer;  /* outputs, where it was read: points to .outputs, or is NULL */
    struct buffer outputs; /* borrows the frame's bytes: never to be freed or changed */
};

/* Bytes for a task's log, or a text. */
struct frame_keep {
    uint32_t batch, index;
    struct params_text bytes;
};

struct frame_done {
    uint32_t batch;
    bool has_strays;         /* threads that the plugin has left behind */
    uint64_t resident_bytes; /* 0: not asked for */
};

/* Adds a SETUP to an empty buffer, as the others of this name their frame. */
void frame_put_setup(struct buffer *out, const struct frame_setup *setup);

/* Adds the beginning of a TASKS, behind which frame_put_task adds so many. */
void frame_put_tasks(struct buffer *out, uint32_t batch, const char *job, uint32_t count);

/* Adds one task to a TASKS. */
void frame_put_task(struct buffer *out, const struct frame_task *task);

/* Adds a CANCEL. */
void frame_put_cancel(struct buffer *out, uint32_t batch, uint32_t index);

/* Adds a READY. */
void frame_put_ready(struct buffer *out);

/* Adds a REFUSED. */
void frame_put_refused(struct buffer *out, const char *why);

/* Adds an ANSWER; its texts must be as long as call.h allows. */
void frame_put_answer(struct buffer *out, const struct frame_answer *answer);

/* Adds a KEEP; no NUL is among the bytes. */
void frame_put_keep(struct buffer *out, uint32_t batch, uint32_t index, const char *bytes,
                    size_t length);

/* Adds a SAID. */
void frame_put_said(struct buffer *out, const char *line);

/* Adds a DONE. */
void frame_put_done(struct buffer *out, const struct frame_done *done);

/* Returns the kind of a frame as it says it, which may be none of ours; 0 for no bytes at all. */
enum frame_kind frame_kind_of(const void *bytes, size_t length);

/* Reads a SETUP; false: it is malformed, and *setup holds nothing. What it answers borrows the
 * bytes, and memory of the arena; so do the others. */
bool frame_get_setup(const void *bytes, size_t length, struct arena *arena,
                     struct frame_setup *setup);

/* Reads a TASKS, in the same way. */
bool frame_get_tasks(const void *bytes, size_t length, struct arena *arena,
                     struct frame_tasks *tasks);

/* Reads a CANCEL; false: it is malformed. */
bool frame_get_cancel(const void *bytes, size_t length, uint32_t *batch, uint32_t *index);

/* Reads a REFUSED; false: it is malformed. */
bool frame_get_refused(const void *bytes, size_t length, const char **why);

/* Reads an ANSWER; false: it is malformed, or says what no plugin could. */
bool frame_get_answer(const void *bytes, size_t length, struct frame_answer *answer);

/* Reads a KEEP; false: it is malformed. */
bool frame_get_keep(const void *bytes, size_t length, struct frame_keep *keep);

/* Reads a SAID; false: it is malformed. */
bool frame_get_said(const void *bytes, size_t length, const char **line);

/* Reads a DONE; false: it is malformed. */
bool frame_get_done(const void *bytes, size_t length, struct frame_done *done);
