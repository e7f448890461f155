#include "cli/daemon_address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/cleanup.h"
#include "support/units.h"

static const char scheme[] = "unix:";
enum { PORT_MOST = 65535 };

static char *copied(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        abort();
    return copy;
}

/* Where the token's line ends; what is none in a header is in no token. */
static bool token_cut(char *token)
{
    token[strcspn(token, "\r\n")] = '\0';
    for (const char *at = token; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~')
            return false;
    return token[0] != '\0';
}

static bool token_read(struct daemon_address *address, const char *file, struct error *error)
{
    char token[DAEMON_TOKEN_MOST_BYTES];

    CLEANUP(cleanup_close) int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, token, sizeof(token) - 1);
    if (got < 0)
        return error_errno(error, "token", "cannot read the token for %s from %s", address->place,
                           file);
    token[got] = '\0';
    if (!token_cut(token))
        return error_set(error, "token", "there is no token in %s", file);
    address->token = copied(token);
    return true;
}

static bool is_host_and_port(const char *listen)
{
    const char *colon = strrchr(listen, ':');
    int64_t port;

    return colon != NULL && colon != listen && strpbrk(listen, "/@?# ") == NULL &&
           units_parse_int(colon + 1, strlen(colon + 1), &port) && port > 0 && port <= PORT_MOST;
}

/* Who listens on every address is reached on that of this machine. */
static char *reachable(const char *listen)
{
    static const char *const any[][2] = {{"0.0.0.0:", "127.0.0.1:"}, {"[::]:", "[::1]:"}};
    char *place;

    for (size_t i = 0; i < sizeof(any) / sizeof(any[0]); i++) {
        size_t length = strlen(any[i][0]);
        if (strncmp(listen, any[i][0], length) != 0)
            continue;
        if (asprintf(&place, "%s%s", any[i][1], listen + length) < 0)
            abort();
        return place;
    }
    return copied(listen);
}

bool daemon_address_read(struct daemon_address *address, const char *listen, const char *token_file,
                         struct error *error)
{
    static const size_t path_most = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
    bool is_socket = strncmp(listen, scheme, strlen(scheme)) == 0;

    *address = (struct daemon_address){.is_socket = is_socket};
    address->place = is_socket ? copied(listen + strlen(scheme)) : reachable(listen);
    if (!is_socket && !is_host_and_port(listen))
        return error_set(error, "listen", "'%s' is neither unix:PATH nor HOST:PORT", listen);
    if (!is_socket)
        return token_read(address, token_file, error);
    if (strlen(address->place) <= path_most)
        return true;
    return error_set(error, "listen",
                     "the path of the socket %s is over %zu bytes: set runtime_dir"
                     " in [host] to a shorter one",
                     address->place, path_most);
}

void daemon_address_fini(struct daemon_address *address)
{
    free(address->place);
    free(address->token);
    *address = (struct daemon_address){0};
}
