/* served: an HTTP server under test and raw clients of it, which say bytes and look at bytes. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "serve/http.h"
#include "serve/http_request.h"

struct served {
    struct http *http;
    int listen_fd;
    char folder[32];
    char address[64]; /* "unix:..." or "127.0.0.1:PORT" */
};

/* Options with routes (ended by one without a pattern) and limits that no test meets by accident. */
struct http_options served_options(const struct http_route *routes, void *context);

/* Starts a server on a Unix socket in a new folder, or on any port of 127.0.0.1. */
void served_start(struct served *of, const struct http_options *options);
void served_start_tcp(struct served *of, const struct http_options *options);

/* Stops it within 10 s and removes the folder; for CLEANUP. */
void served_stop(struct served *of);

/* The server of a suite that wants none but the one with these options, and its end; for .fini. */
extern struct served served;
void served_begin(const struct http_route *routes);
void served_end(void);

/* A handler that answers nothing; the request is there then, until the test takes it. */
extern struct http_request *_Atomic served_kept;
void served_keep(void *context, struct http_request *request);

/* Returns a connection whose reads fail after 20 s. */
int served_connect(const struct served *of);

/* Sends bytes; the server may have closed the connection already. */
void say(int fd, const char *text);
void say_bytes(int fd, const char *bytes, size_t length);

/* Reads one answer, with its body by Content-Length or chunks (which stay as they came), and
 * returns it, malloc'ed; "" if the connection ended before. */
char *hear(int fd);

/* The same for an answer to HEAD. */
char *hear_head(int fd);

/* Reads to the end of the connection. */
char *hear_all(int fd);

/* Reads until the text has come; fails if the connection ends before. */
char *hear_until(int fd, const char *text);

/* Says the request on a new connection and returns all that comes until it is closed or the answer
 * is complete. */
char *ask(const struct served *of, const char *text);

/* Asks, and expects that the answer begins with the status and holds the text. */
void expect_answer(const struct served *of, const char *request, const char *status,
                   const char *text);
