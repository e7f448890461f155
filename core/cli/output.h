/* output: standard output and standard error as every command uses them: results, messages, colour,
 * and the care for what was not written. Main thread. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/options.h"

/* Makes sure that descriptors 0 to 2 are open, so that no file takes their place, and that a closed
 * pipe is an error instead of a death. When the program ends, what standard output did not take is
 * an error: exit code 3 instead of 0 or 1. Call first. */
void output_open(void);

/* Returns whether fd is a terminal that knows more than plain text (TERM is not dumb). */
bool output_is_terminal(int fd);

/* Returns whether a stream on fd is to have colours; auto respects NO_COLOR (no-color.org). */
bool output_colour(enum colour colour, int fd);

/* Returns where messages go: standard error, unless they are being collected. */
FILE *output_messages(void);

/* Collects messages from now on, for a host at work that must not wait for who reads them. */
void output_collect(void);

/* Returns what was collected so far, until the next message. */
const char *output_collected_text(void);

/* Writes what was collected to standard error as far as there is room, without waiting; the lines
 * behind that are dropped. */
void output_collected(void);

/* Prints "sluice: " and a message where messages go; always false. */
bool output_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints an object as one line on standard output and lets it go. */
void output_json(json_t *json);

/* Writes what is left on standard output now; when the program ends, output_open's care tells
 * whether that failed. */
void output_flush(void);

/* Leaves the program at once: standard output is written, nothing else happens. For when threads
 * are stuck. */
_Noreturn void output_leave(int code);
