/* log: what the program says about itself, on standard error, one write a line; logfmt or JSON. Set
 * up once by main before threads start; writing is safe on any thread. Blocks while standard error
 * has no room, as long as ready_to_write does; then the line is dropped, and counted in the next
 * one that is written. Never called with a lock held. */
#pragma once

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

struct log_field {
    const char *key;  /* NULL ends the list */
    const char *text; /* NULL: the number counts */
    int64_t number;
};

/* Sets the smallest level that is written and the form; any thread, at any time. */
void log_configure(enum log_level level, enum log_format format);

/* Returns the level that was set. */
enum log_level log_level_now(void);

/* Returns the form that was set. */
enum log_format log_format_now(void);

/* Sets what is written in front of each line and called after it, so that a progress line can get
 * out of the way; NULL takes it back. Main thread. */
void log_set_interlude(const char *prefix, void (*after)(void));

/* Has each line (with its line feed) handed to take instead of being written; NULL takes it back.
 * For a process whose standard error is not ours. Before other threads start. */
void log_divert(void (*take)(const char *line));

/* Writes a line that another process has made; what could do harm on a terminal is masked. */
void log_pass(const char *line);

/* Makes writing on the main thread drop at once what would block: it has signals to answer. Main
 * thread. */
void log_spare_main(void);

/* Returns the level of a word (debug, info, warning, error), or -1. */
int log_level_find(const char *word);

/* Returns the word of a level. */
const char *log_level_word(enum log_level level);

/* Writes one line: time, level, message, fields; does nothing below the level. The texts are copied
 * before it returns. */
void log_write(enum log_level level, const char *message, const struct log_field *fields);

/* clang-format off */
#define LOG_TEXT(k, v) {.key = (k), .text = (v)}
#define LOG_NUMBER(k, v) {.key = (k), .number = (int64_t)(v)}
#define LOG_AT(level, message, ...)                                                                \
    log_write(level, message,                                                                      \
              (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ) {.key = NULL}})
/* clang-format on */

/* Each takes a message and fields: log_info("loaded", LOG_TEXT("plugin", name)). */
#define log_debug(...)   LOG_AT(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)    LOG_AT(LOG_INFO, __VA_ARGS__)
#define log_warning(...) LOG_AT(LOG_WARNING, __VA_ARGS__)
#define log_error(...)   LOG_AT(LOG_ERROR, __VA_ARGS__)
