/* token: the secret that clients send as `Authorization: Bearer`, in a file that only its owner may
 * read. Stateless; main thread at the start. */
#pragma once

#include <stdbool.h>

#include "support/error.h"

enum { TOKEN_BYTES = 64, TOKEN_BYTES_MOST = 4096 };

/* Reads the token from the file into a malloc'ed text, or first makes the file with a new random
 * token of TOKEN_BYTES hexadecimal digits, mode 0600. NULL with a message if that fails, or if the
 * file holds no token or others may read or change it. */
char *token_load(const char *path, struct error *error);
