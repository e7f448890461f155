#include "serve/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/cleanup.h"
#include "support/clock.h"

enum { STATUS_BYTES_MOST = 512 };

/* Finds the manager's socket; false if there is no manager. */
static bool find_manager(struct sockaddr_un *address, socklen_t *length)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t path_length = path != NULL ? strlen(path) : 0;

    if (path_length < 2 || path_length >= sizeof(address->sun_path) ||
        (path[0] != '/' && path[0] != '@'))
        return false;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path, path_length);
    if (path[0] == '@') /* of the abstract kind, without a file */
        address->sun_path[0] = '\0';
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_length);
    return true;
}

static int put_state(char *text, size_t size, enum notify_state state)
{
    switch (state) {
    case NOTIFY_READY:
        return snprintf(text, size, "READY=1\n");
    case NOTIFY_RELOADING:
        return snprintf(text, size, "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n",
                        clock_now_ns() / NS_PER_US);
    case NOTIFY_STOPPING:
        return snprintf(text, size, "STOPPING=1\n");
    case NOTIFY_WATCHDOG:
        return snprintf(text, size, "WATCHDOG=1\n");
    }
    abort();
}

bool notify_send(enum notify_state state, const char *status)
{
    char text[STATUS_BYTES_MOST + 128];
    struct sockaddr_un address;
    socklen_t length;

    if (!find_manager(&address, &length))
        return true;
    int used = put_state(text, sizeof(text), state);
    if (status != NULL) {
        size_t line = strcspn(status, "\n"); /* behind it another statement would begin */
        line = line < STATUS_BYTES_MOST ? line : STATUS_BYTES_MOST;
        used +=
            snprintf(text + used, sizeof(text) - (size_t)used, "STATUS=%.*s\n", (int)line, status);
    }
    CLEANUP(cleanup_close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && sendto(fd, text, (size_t)used, MSG_DONTWAIT | MSG_NOSIGNAL,
                             (const struct sockaddr *)&address, length) == used;
}

int64_t notify_watchdog_ns(void)
{
    const char *text = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    char *end = NULL;

    if (text == NULL || (pid != NULL && strtol(pid, NULL, 10) != getpid()))
        return 0;
    errno = 0;
    long long span_us = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || span_us <= 0 ||
        span_us > CLOCK_NEVER_NS / NS_PER_US)
        return 0;
    return span_us * NS_PER_US;
}
