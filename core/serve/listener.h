/* listener: the socket on which the daemon waits for its clients, opened before anything else runs.
 * Stateless functions for the main thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "support/error.h"

/* Opens a listening, non-blocking socket at "unix:PATH", "127.0.0.1:PORT" or "[::1]:PORT" (any
 * other address by number too), port 0: any that is free. Returns it, or -1 with a message. A Unix
 * socket has mode 0600 from the moment on at which it can be connected to; one that a dead daemon
 * left behind is replaced, one that somebody listens on is an error. One whose monitor is dead is
 * waited for. */
int listener_open(const char *address, struct error *error);

/* Returns the first socket that the service manager has passed (LISTEN_FDS, LISTEN_PID), made
 * non-blocking and not to be inherited, -1 if there is none; the variables are removed. False with
 * a message if what was passed is not one listening stream socket. */
bool listener_take_passed(int *fd, struct error *error);

/* Returns whether only this machine can reach the address; of "unix:PATH" that is so. An address
 * that cannot be read is not loopback. */
bool listener_is_loopback(const char *address);

/* The same of an open socket, such as a passed one. */
bool listener_fd_is_loopback(int fd);

/* Returns the port of an open socket, 0 of a Unix one. */
uint16_t listener_port(int fd);

/* Returns the address of an open socket as listener_open takes it, malloc'ed; NULL: it has none. */
char *listener_address(int fd);

/* Removes the socket of "unix:PATH" from its folder unless somebody still listens on it; nothing
 * for other addresses. After the socket was closed. */
void listener_remove(const char *address);
