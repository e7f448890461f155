/* job_file: a job file, version 1, that is read document by document, each into a job of its own
 * (design: strict; all errors at once, each with its place). Created and used by a reader thread:
 * it may load plugins (registry_find), and in stream mode its callbacks may block. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "accept/job.h"
#include "accept/job_sources.h"
#include "plugin/registry.h"
#include "support/diagnostic.h"
#include "support/error.h"
#include "support/limit.h"

enum {
    JOB_FILE_DOCUMENTS_MOST = LIMIT(10 * 1000, 50), /* unless streamed */
    JOB_FILE_NESTING_MOST = 32,
    /* that aliases stand for in a file; of a streamed one, in a document */
    JOB_FILE_ALIAS_NODES_MOST = LIMIT(1000 * 1000, 5000),
    JOB_FILE_ALIAS_TEXT_MOST_BYTES = LIMIT(256 * 1024 * 1024, 256 * 1024), /* in those nodes */
    JOB_FILE_ANCHOR_NODES_MOST = 1000 * 1000, /* that have anchors in a document */
    JOB_FILE_ANCHOR_TEXT_MOST_BYTES = 64 * 1024 * 1024,
    JOB_FILE_MERGES_MOST = 32, /* in one map, those of what it merges included */
    JOB_FILE_STRING_MOST_BYTES = LIMIT(1024 * 1024, 2048),
    JOB_FILE_LABELS_MOST = 64,
    JOB_FILE_LABEL_KEY_MOST_BYTES = 64,
    JOB_FILE_LABEL_VALUE_MOST_BYTES = 256,
    JOB_FILE_NAME_MOST_BYTES = 256,
    /* steps to see whether a task needs another */
    JOB_FILE_SEARCH_MOST = LIMIT(100 * 1000 * 1000, 20 * 1000),
    JOB_FILE_NEEDS_MOST = LIMIT(50 * 1000 * 1000, 20 * 1000), /* of all jobs of a file */
    JOB_FILE_LOOPS_MOST = 16,                                 /* names of one for_each */
    JOB_FILE_WRONG_INSTANCES = 100, /* of one for_each: behind them it is given up */
    JOB_FILE_VARS_MOST = 1024,
    JOB_FILE_VAR_NAME_MOST_BYTES = 64,
    JOB_FILE_VARS_MOST_BYTES = 16 * 1024 * 1024, /* names and texts in all */
    JOB_FILE_ATTEMPTS_MOST = 1000 * 1000,
};
#define JOB_FILE_MOST_BYTES (INT64_C(1) << 30) /* unless streamed */
/* texts with ${...} in them, in all; unless streamed */
#define JOB_FILE_TEXT_MOST_BYTES LIMIT(UINT64_C(1) << 30, 256 * 1024)
/* params and labels of all tasks of for_each; unless streamed */
#define JOB_FILE_EACH_MOST_BYTES LIMIT(UINT64_C(2) << 30, 512 * 1024)

/* What can be wrong in a job file; see errors.def. */
enum job_file_error {
#define ERROR(name, word, meaning) JOB_FILE_##name,
#include "accept/errors.def"
#undef ERROR
    JOB_FILE_ERROR_COUNT,
};

/* A variable that is set from outside. */
struct job_setting {
    const char *name;
    const char *value; /* UTF-8, taken as it is */
};

/* What a document of the file is. */
enum job_file_root {
    JOB_FILE_JOBS, /* a job */
    JOB_FILE_TASK, /* a single task, as it would stand in a job's list: the only one */
};

struct job_file;

/* Where a text that was read leaves its memory for the next one, which is allocated else: many
 * kilobytes for each small text. Embedded by whoever reads texts in a row; any threads at once. */
struct job_file_spare {
    struct job_file *_Atomic file;
};

struct job_file_options {
    enum job_file_root root;
    struct registry *registry;
    /* NULL: a plugin that is not loaded yet is loaded and waited for. Else it is not, which is an
     * error of the file, and this becomes true: who may wait is to read it again. */
    bool *must_wait;
    _Atomic int32_t weight_capacity; /* a weight above is an error; may change meanwhile */
    int64_t default_timeout_ns;      /* where neither task, defaults nor type say one */
    /* JOB_STREAMED only: takes the tasks read so far (all ACCEPTED) from the list; may block; false
     * ends the reading of their job without an error. Called with a full batch, at the job's end,
     * and before the reader would wait for more input. */
    bool (*take)(void *context, struct task_list *tasks);
    void *context;
    const struct job_setting *settings; /* in place of what the files' vars say */
    size_t settings_count;
    const struct job_sources *sources; /* NULL: the environment and the files of this process */
    int stop_fd; /* once it can be read, reading ends: JOB_FILE_STOPPED; -1: none */
    struct job_file_spare *spare; /* for job_file_open_text; NULL: none */
};

/* What became of a file. */
enum job_file_answer {
    JOB_FILE_RIGHT,   /* all jobs are complete */
    JOB_FILE_WRONG,   /* the diagnostics say all that is wrong, with excerpts */
    JOB_FILE_STOPPED, /* by stop_fd, before the end: nothing is said about the file */
};

/* Returns the word of an error's code. */
const char *job_file_error_word(enum job_file_error error);

/* Begins to read the file that is open as fd: a regular file, or anything readable; a pipe is
 * copied to a memory file first unless it is streamed. fd, options and diagnostics are borrowed.
 * What is wrong is found in the diagnostics. May block. */
struct job_file *job_file_open(int fd, enum job_mode mode, const struct job_file_options *options,
                               struct diagnostics *diagnostics);

/* Begins to read a checked file whose text is in memory; text, options and diagnostics are
 * borrowed. Does not wait for anything but the loading of plugins. */
struct job_file *job_file_open_text(const char *text, size_t length,
                                    const struct job_file_options *options,
                                    struct diagnostics *diagnostics);

/* Goes to the next document; false if there is none, or reading is not to go on: of a streamed file
 * after its first error. An empty document behind others, at the end of the file, is none. May
 * block. */
bool job_file_next(struct job_file *file);

/* Reads the document into a job of the file's mode, and seals it; of a streamed one the tasks were
 * handed on. The second document and those behind it are named after the file and their number
 * unless they have a name. Once a document. May block. */
void job_file_read(struct job_file *file, struct job *job);

/* Returns whether reading may have to wait for what others write. */
bool job_file_waits(const struct job_file *file);

/* Ends reading, wherever it is: adds the excerpts to the diagnostics and frees all; clears the
 * pointer. Unless the file was right, the jobs of a checked one have to be destroyed. */
enum job_file_answer job_file_close(struct job_file **file);

/* Frees what a spare holds; it may be used on. */
void job_file_spare_fini(struct job_file_spare *spare);
