/* daemon_address: where the daemon listens, as [http] listen says it, and the token for it.
 * Embedded by its owner; main thread. */
#pragma once

#include <stdbool.h>

#include "support/error.h"

enum { DAEMON_TOKEN_MOST_BYTES = 4096 };

struct daemon_address {
    char *place; /* as messages name it: the path of the socket, or HOST:PORT */
    char *token; /* NULL: none */
    bool is_socket;
};

/* Reads "unix:PATH" or "HOST:PORT", and for the latter the token, the first line of its file; false
 * with a message. daemon_address_fini is due either way. */
bool daemon_address_read(struct daemon_address *address, const char *listen, const char *token_file,
                         struct error *error);

/* Frees it. Fits CLEANUP. */
void daemon_address_fini(struct daemon_address *address);
