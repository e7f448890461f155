/* diagnostic: what is wrong in a file that a user wrote, with its place: collected all at once,
 * printed with the source line, a caret and a hint. A collector belongs to one thread. Shared by
 * job files and the configuration. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { DIAGNOSTIC_KEEP_MOST = 100 };

struct place {
    uint32_t line;   /* from 1; 0: the file as a whole */
    uint32_t column; /* from 1, in characters; 0: the line as a whole (no caret) */
    uint32_t width;  /* in characters, at least 1 where there is a column */
};

struct diagnostic {
    struct place place;
    const char *code; /* static word */
    char *message;
    char *hint;            /* NULL: none; without the leading "= " */
    char *excerpt;         /* the source line, cut around the caret; NULL: empty or not read */
    uint32_t caret_column; /* in the excerpt, in characters from 1 */
};

struct diagnostics {
    const char *file;        /* as the user named it */
    struct diagnostic *kept; /* DIAGNOSTIC_KEEP_MOST at most */
    size_t kept_count;
    size_t found_count; /* at least kept_count */
};

/* Makes an empty collector for a file, whose name is borrowed as long as it is used. */
void diagnostics_init(struct diagnostics *diagnostics, const char *file);

/* Frees everything. */
void diagnostics_fini(struct diagnostics *diagnostics);

/* Adds one; message and hint (which may be NULL) are copied. Past DIAGNOSTIC_KEEP_MOST only the
 * count goes up. */
void diagnostics_add(struct diagnostics *diagnostics, struct place place, const char *code,
                     const char *message, const char *hint);

/* Forgets what was added after the first found_count ones; before any source lines are read. */
void diagnostics_forget(struct diagnostics *diagnostics, size_t found_count);

/* Sorts by place and reads the source lines that the kept ones need from an open file in one pass
 * (fd is seekable; it is read with pread). Lines are cut at 200 bytes around the caret; control
 * characters but tabs, and bytes that are not UTF-8, become '?'. */
void diagnostics_read_excerpts(struct diagnostics *diagnostics, int fd);

/* As diagnostics_read_excerpts from a file that holds the source from first_line on. */
void diagnostics_read_excerpts_from(struct diagnostics *diagnostics, int fd, uint32_t first_line);

/* Prints them all in the form of design/job-files.md ("file:12:7: error: ..."), and, if some were
 * not kept, how many more. */
void diagnostics_print(const struct diagnostics *diagnostics, FILE *to, bool colour);

/* Returns them as a JSON array of {file, line, column, width, code, message, hint} in a malloc'ed
 * string that the caller frees. */
char *diagnostics_json(const struct diagnostics *diagnostics);
