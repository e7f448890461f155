/* loader: the one thread that scans, calls dlopen, dlsym and dlclose, and publishes: a small event
 * loop that never waits for a plugin. Made by the registry; any thread hands it work. */
#pragma once

#include <stdint.h>

#include "support/error.h"

struct loader;

/* Something to do on the loader thread. Embedded in what it is about, and not touched again by the
 * loader once run is called. */
struct loader_work {
    void (*run)(void *context);
    void *context;
    /* the loader's own */
    struct loader_work *next;
    int64_t due_ns;
};

/* Starts the thread; NULL with a message if the system refuses. */
struct loader *loader_create(struct error *error);

/* Joins the thread after all work that was handed to it, and clears the pointer; what is due later
 * is forgotten. Its memory stays where somebody still holds it. Accepts NULL. */
void loader_destroy(struct loader **loader);

/* Has the loader thread do work that it does not have yet; first come, first served. Any thread. */
void loader_post(struct loader *loader, struct loader_work *work);

/* Has it do the work at a time of the monotonic clock, unless loader_withdraw comes before. Loader
 * thread. */
void loader_post_at(struct loader *loader, struct loader_work *work, int64_t due_ns);

/* Takes back what loader_post_at was given; nothing happens if it was run. Loader thread. */
void loader_withdraw(struct loader *loader, struct loader_work *work);

/* Says that another thread may post at any time, even after loader_destroy. Loader thread. */
void loader_hold(struct loader *loader);

/* Takes one loader_hold back. Loader thread. */
void loader_release(struct loader *loader);
