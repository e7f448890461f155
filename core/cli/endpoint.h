/* endpoint: where the clients of `sluice serve' come in, and who is let in: the socket, the token,
 * the names that it goes by. Main thread. */
#pragma once

#include <stdbool.h>

#include "config.h"

enum { ENDPOINT_HOSTS_MOST = 64 };

struct endpoint {
    char *address;  /* as configured; NULL before it is open */
    int listen_fd;  /* -1 at first */
    bool is_passed; /* the service manager has opened the socket */
    bool is_new;    /* endpoint_open has made the socket */
    char *token;    /* NULL: nobody is asked for one */
    const char *hosts[ENDPOINT_HOSTS_MOST + 1];
    char *hosts_text;
};

/* Takes the socket that is open already, if there is one: the service manager has passed it, or an
 * earlier host has opened it, which is the first word of the lifeline. False: said why. */
bool endpoint_take(struct endpoint *endpoint);

/* Opens one otherwise, and makes its folder; loads the token if it is one that others than the
 * user could connect to. False: said why. */
bool endpoint_open(struct endpoint *endpoint, const struct config *config);

/* Closes the socket, and removes it unless others hold it: the service manager, or the monitor. May
 * be called again. */
void endpoint_close(struct endpoint *endpoint);

/* The same, and frees what it has. */
void endpoint_fini(struct endpoint *endpoint);
