/* daemon_address: where the daemon listens, as [http] listen says it, and the token for it.
 * Embedded by its owner; main thread. */
#pragma once

#include <stdbool.h>

#include "config.h"
#include "support/error.h"

enum { DAEMON_TOKEN_MOST_BYTES = 4096 };

struct daemon_address {
    char *place; /* as messages name it: the path of the socket, or HOST:PORT */
    char *token; /* NULL: none */
    bool is_socket;
};

/* Reads "unix:PATH" or "HOST:PORT"; false with a message. Only TCP needs the token_file (which may
 * be NULL otherwise): its first line. daemon_address_fini is due either way. */
bool daemon_address_read(struct daemon_address *address, const char *listen, const char *token_file,
                         struct error *error);

/* Finds it from a configuration whose places are filled in. */
bool daemon_address_find(struct daemon_address *address, const struct config *config,
                         struct error *error);

/* Frees it. Fits CLEANUP. */
void daemon_address_fini(struct daemon_address *address);
