/* daemon: a running `sluice serve` as the commands talk to it: where it listens, questions and
 * answers, and what is said when there is none. Opened by a command; main thread. What it asks
 * blocks until the daemon has answered. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/daemon_address.h"
#include "cli/options.h"
#include "client/client.h"
#include "support/buffer.h"

enum {
    DAEMON_ANSWER_MOST_BYTES = 256 * 1024 * 1024,
    DAEMON_IDLE_S = 120,         /* a daemon that says nothing for so long is given up */
    DAEMON_SUBMIT_IDLE_S = 1800, /* a large job file is read before the answer */
};

struct daemon;

struct daemon_question {
    const char *method; /* NULL: GET */
    /* The path: three parts, of which the one in the middle is percent-encoded; it and the last may
     * be NULL. */
    const char *before, *name, *behind;
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    const char *body;           /* NULL: none */
    size_t body_length;
    int64_t idle_s; /* 0: DAEMON_IDLE_S */
};

struct daemon_answer {
    enum client_end end;
    int status; /* 0: none came */
    struct buffer body;
    json_t *json;       /* NULL: the body is none */
    struct error error; /* where end is neither CLIENT_ANSWERED nor CLIENT_STOPPED */
};

/* Who takes an answer piece by piece; see struct client_request. */
struct daemon_reader {
    bool (*take)(void *context, int status, const char *bytes, size_t length);
    bool (*tick)(void *context, int status);
    void *context;
    int stop_fd;
    int64_t idle_s; /* 0: waits without an end */
};

/* Reads the configuration, opens the client module and makes a client; asks nothing yet. NULL with
 * the reason printed and the exit code. */
struct daemon *daemon_open(const struct options *options, int *code);

/* Lets go of it, clears the pointer; accepts NULL. Fits CLEANUP. */
void daemon_close(struct daemon **daemon);

/* Returns where it is looked for, as messages name it. */
const char *daemon_place(const struct daemon *daemon);

/* Adds a text to a path or a query, percent-encoded. */
void daemon_put_encoded(struct buffer *path, const char *text);

/* Returns whether a request was answered with success: 200 to 299. The answer is the caller's, for
 * daemon_answer_fini. Prints nothing. */
bool daemon_send(struct daemon *daemon, const struct daemon_question *question,
                 struct daemon_answer *answer);

/* Frees what an answer holds. Fits CLEANUP. */
void daemon_answer_fini(struct daemon_answer *answer);

/* Says on standard error why an answer is no success, and returns the exit code for it. */
int daemon_explain(const struct daemon *daemon, const struct daemon_answer *answer);

/* Returns the answer to a question, the caller's to decref; NULL with the reason printed and the
 * exit code. */
json_t *daemon_ask(struct daemon *daemon, const struct daemon_question *question, int *code);

/* Asks, and prints the answer on standard output: as JSON, or by print, but not with --quiet.
 * Returns the exit code. */
int daemon_show(struct daemon *daemon, const struct daemon_question *question,
                const struct options *options, void (*print)(const json_t *answer));

/* Hands the answer on piece by piece, over a connection of its own: others may be asked meanwhile.
 * The answer's body is left empty. */
void daemon_stream(struct daemon *daemon, const struct daemon_question *question,
                   const struct daemon_reader *reader, struct daemon_answer *answer);

/* Returns the value of a header of the last answer that was streamed; NULL: none. */
const char *daemon_header(struct daemon *daemon, const char *name);
