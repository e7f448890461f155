/* client: HTTP requests to a daemon, over a Unix socket or TCP. It is a shared object of its own,
 * client.so, because libcurl takes longer to load than all the rest of the program: cli/daemon.c
 * opens it when a command needs it, and finds the one symbol `sluice_client`. Created and used by
 * one thread; a client makes one request at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/error.h"

struct client;

/* Where a daemon listens; the texts are borrowed as long as the client lives. */
struct client_address {
    const char *socket;    /* path of a Unix socket; NULL: TCP */
    const char *authority; /* HOST:PORT, or what a request to a socket calls the host */
    const char *token;     /* sent as Bearer; NULL: none */
};

/* How a request ended. */
enum client_end {
    CLIENT_ANSWERED, /* whatever the status */
    CLIENT_NOBODY,   /* nobody listens there; the message says why */
    CLIENT_STOPPED,  /* by take, tick or stop_fd */
    CLIENT_LOST,     /* no whole answer; the message says why */
};

struct client_request {
    const char *method;         /* NULL: GET */
    const char *path;           /* with the query, percent-encoded */
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    const char *body;           /* NULL: none */
    size_t body_length;
    int64_t idle_s; /* gives up when nothing has come for so long; 0: never */
    int stop_fd;    /* the request ends when it can be read; -1: none */
    /* Takes a piece of the answer's body; false ends the request. */
    bool (*take)(void *context, int status, const char *bytes, size_t length);
    /* Called now and then, at least every CLIENT_TICK_MS and as soon as there is a status (0: not
     * yet); false ends the request. Another client may be asked in it. May be NULL. */
    bool (*tick)(void *context, int status);
    void *context;
};

enum { CLIENT_TICK_MS = 1000, CLIENT_CONNECT_MOST_MS = 10 * 1000 };

struct client_table {
    const char *version; /* of the program that it belongs to */

    /* Makes a client; nothing is sent yet. NULL with a message if libcurl does not start. */
    struct client *(*create)(const struct client_address *address, struct error *error);

    /* Frees it, closes its connection, clears the pointer; accepts NULL. */
    void (*destroy)(struct client **client);

    /* Makes a request and blocks until it has ended; *status is that of the answer, 0: none came.
     * The message is for CLIENT_NOBODY and CLIENT_LOST. */
    enum client_end (*request)(struct client *client, const struct client_request *request,
                               int *status, struct error *error);

    /* Returns the value of a header of the last answer, valid until the next request; NULL: none.
     * */
    const char *(*header)(struct client *client, const char *name);
};

/* The module's one symbol. */
extern const struct client_table sluice_client;
