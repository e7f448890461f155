/* job_input: the bytes of a job file on their way from a descriptor or memory to the YAML parser:
 * counts them, skips a byte order mark, keeps the last ones for excerpts of errors, and says before
 * it would wait for more. Embedded by its reader; one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "support/diagnostic.h"
#include "support/limit.h"
#include "support/thread.h"

enum {
    JOB_INPUT_WINDOW_BYTES =
        LIMIT(256 * 1024, 8 * 1024), /* at least half of it is behind what was given */
    JOB_INPUT_EVENT_MOST_BYTES =
        16 * 1024 * 1024, /* that the parser may ask for without an event */
};

enum job_input_problem {
    JOB_INPUT_FINE,
    JOB_INPUT_UNREADABLE, /* error_number says why */
    JOB_INPUT_TOO_LARGE,  /* over limit_bytes */
    JOB_INPUT_ENDLESS,    /* over JOB_INPUT_EVENT_MOST_BYTES without an event */
    JOB_INPUT_UTF16,
    JOB_INPUT_SEPARATOR,   /* a line separator that is none for anybody else, at problem_offset */
    JOB_INPUT_STOPPED,     /* by before_wait */
    JOB_INPUT_INTERRUPTED, /* by stop_fd */
};

/* On lines of its own, because whoever parses ahead notes each event in it, while it stands on the
 * stack of whoever uses the nodes. */
struct job_input {
    _Alignas(THREAD_LINE_BYTES) int fd; /* -1: it is a text */
    const char *text;                   /* NULL: it comes from fd */
    int64_t size_bytes;                 /* of a seekable one, as it was opened; 0: not known */
    bool seekable;       /* a regular file, read from its start, fd's own offset stays; or a text */
    int64_t limit_bytes; /* 0: none */
    int stop_fd;         /* once it can be read, nothing more is; -1: none */
    bool (*before_wait)(
        void *context); /* may be NULL; not called for a seekable one; false: stop */
    void *context;
    enum job_input_problem problem;
    int error_number;
    uint64_t problem_offset;
    bool at_end;
    size_t pairs;          /* of surrogates that were rewritten, see surrogate_restore */
    const char *window;    /* all of a text, or the buffer */
    char *buffer;          /* JOB_INPUT_WINDOW_BYTES; NULL for a text */
    size_t filled;         /* bytes in the window */
    size_t given;          /* of them, that the parser has */
    int64_t window_offset; /* in the file, of the window's first byte */
    uint32_t window_line;  /* of the window's first byte; not kept for a seekable one */
    int64_t
        skipped_bytes;   /* before the first one given: the byte order mark, or all before a part */
    int64_t end_offset;  /* in the file, of what is read; of a seekable one */
    uint32_t first_line; /* of what is read */
    int64_t event_offset; /* set by the parser's owner with each event */
};

/* Makes the input ready and allocates the window; seekable or not is seen from fd, which is
 * borrowed. Callback and stop_fd are the caller's to set afterwards. */
void job_input_init(struct job_input *input, int fd, int64_t limit_bytes);

/* Makes the input ready for a text, which is borrowed; nothing is allocated. */
void job_input_init_text(struct job_input *input, const char *text, size_t length,
                         int64_t limit_bytes);

/* Some lines of a file. */
struct job_input_part {
    int64_t begin, end; /* offsets */
    uint32_t line;      /* the first one */
};

/* Has only a part of a seekable input read; places are those in the file. Before anything is. */
void job_input_take_part(struct job_input *input, struct job_input_part part);

/* Frees the window. */
void job_input_fini(struct job_input *input);

/* A yaml_read_handler_t over a struct job_input: gives at most capacity bytes and 0 at the end,
 * or returns 0 on a problem. May block. */
int job_input_give(void *input, unsigned char *to, size_t capacity, size_t *given);

/* Says that an event was seen: the count for JOB_INPUT_ENDLESS begins anew. */
static inline void job_input_note_event(struct job_input *input)
{
    input->event_offset = input->window_offset + (int64_t)input->given;
}

/* Reads bytes of a seekable input from an offset; returns how many there are, 0 at the end, below 0
 * if it cannot be read. Any thread. */
ssize_t job_input_peek(const struct job_input *input, char *to, size_t length, int64_t offset);

/* Returns the place of a byte, counted from the first one given; line 0 if it is out of reach. */
struct place job_input_place(struct job_input *input, uint64_t offset);

/* Returns the offset, counted so too, of the first byte of the character that ends before a
 * byte. */
uint64_t job_input_character(const struct job_input *input, uint64_t offset);

/* Adds the source lines to the diagnostics, as far as they can still be read. */
void job_input_read_excerpts(struct job_input *input, struct diagnostics *diagnostics);
