/* loader: the one thread that calls dlopen, dlsym and dlclose. Made by the registry; any other
 * thread hands it work. */
#pragma once

#include "support/error.h"

struct loader;

/* Starts the thread; NULL with a message if the system refuses. */
struct loader *loader_create(struct error *error);

/* Joins the thread after the work in hand and clears the pointer; nobody hands it work any more.
 * Accepts NULL. */
void loader_destroy(struct loader **loader);

/* Has the loader thread call work(context) and waits for its end; one after another in the order of
 * asking. Any thread but the loader's own. */
void loader_run(struct loader *loader, void (*work)(void *), void *context);
