/* clerk: requests that ask the store, handled one after the other on a thread of their own: a store
 * in a file may have whoever asks wait for the disk, and the http thread must not wait. Made by the
 * API when the store is such a one. */
#pragma once

#include "serve/http_request.h"
#include "support/error.h"

struct clerk;

/* Starts the thread; context is for the handlers. NULL with a message. */
struct clerk *clerk_start(void *context, struct error *error);

/* Has a request handled soon, in the order of the calls; it is the clerk's until the handler has
 * it. Any thread; does not block. At most as many wait as there are connections. */
void clerk_take(struct clerk *clerk, struct http_request *request, http_handler *handle);

/* Handles what is left, joins the thread and frees it; nothing more is taken. Clears the pointer,
 * accepts NULL. */
void clerk_stop(struct clerk **clerk);
