#include "serve/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/cleanup.h"
#include "support/clock.h"
#include "support/process.h"

/* How long one that is dying is waited for. Who has a port cannot be asked. */
#define LOOK_NS           (10 * NS_PER_MS)
#define DYING_MOST_NS     (10 * NS_PER_S)
#define TCP_DYING_MOST_NS NS_PER_S

#define ADDRESSES "allowed: unix:PATH, 127.0.0.1:PORT, [::1]:PORT"

union place {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_storage storage;
};

static const char *unix_path(const char *address)
{
    return strncmp(address, "unix:", 5) == 0 ? address + 5 : NULL;
}

static bool parse_unix(const char *path, union place *place, socklen_t *length, struct error *error)
{
    size_t most = sizeof(place->un.sun_path) - 1;

    if (path[0] == '\0')
        return error_set(error, "listen", "[http] listen: the path behind 'unix:' is missing");
    if (strlen(path) > most)
        return error_set(error, "listen",
                         "[http] listen: the path of a socket may have %zu bytes, %s has %zu", most,
                         path, strlen(path));
    place->un.sun_family = AF_UNIX;
    memcpy(place->un.sun_path, path, strlen(path) + 1);
    *length = sizeof(place->un);
    return true;
}

/* Reads a port from 0 to 65535 without anything behind it. */
static bool parse_port(const char *text, in_port_t *port)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);

    *port = htons((uint16_t)number);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && number <= UINT16_MAX;
}

static bool parse_ip(const char *address, union place *place, socklen_t *length,
                     struct error *error)
{
    char host[INET6_ADDRSTRLEN] = "";
    const char *colon = strrchr(address, ':');
    size_t host_length = colon != NULL ? (size_t)(colon - address) : 0;
    bool is_six = address[0] == '[' && host_length > 2 && address[host_length - 1] == ']';
    in_port_t port;

    if (host_length >= sizeof(host) || host_length == 0 || !parse_port(colon + 1, &port))
        return error_set(error, "listen", "[http] listen: '%s' is no address; %s", address,
                         ADDRESSES);
    memcpy(host, address + is_six, host_length - 2 * is_six);
    if (is_six && inet_pton(AF_INET6, host, &place->in6.sin6_addr) == 1) {
        place->in6.sin6_family = AF_INET6;
        place->in6.sin6_port = port;
        *length = sizeof(place->in6);
        return true;
    }
    if (!is_six && inet_pton(AF_INET, host, &place->in.sin_addr) == 1) {
        place->in.sin_family = AF_INET;
        place->in.sin_port = port;
        *length = sizeof(place->in);
        return true;
    }
    return error_set(error, "listen", "[http] listen: '%s' is not an address by number; %s",
                     address, ADDRESSES);
}

static bool parse(const char *address, union place *place, socklen_t *length, struct error *error)
{
    const char *path = unix_path(address);

    memset(place, 0, sizeof(*place));
    return path != NULL ? parse_unix(path, place, length, error)
                        : parse_ip(address, place, length, error);
}

enum found {
    FOUND_NOBODY, /* a dead socket refuses */
    FOUND_OWNER,
    FOUND_HEIR, /* whoever listened is over; the socket is still open in a process that is dying */
};

/* Looks who listens on the Unix socket. */
static enum found look(const union place *place)
{
    struct ucred owner = {0};
    socklen_t length = sizeof(owner);
    CLEANUP(cleanup_close)
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || connect(fd, &place->any, sizeof(place->un)) != 0)
        return fd >= 0 && errno == EAGAIN ? FOUND_OWNER : FOUND_NOBODY;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &owner, &length) != 0 || owner.pid == 0)
        return FOUND_OWNER; /* of another world, as containers have */
    return process_is_over(owner.pid) ? FOUND_HEIR : FOUND_OWNER;
}

/* The next look at what a dying process has is soon; false if it is too late for one. */
static bool wait_a_little(int64_t until_ns)
{
    struct timespec span = {.tv_nsec = LOOK_NS};

    if (clock_now_ns() >= until_ns)
        return false;
    nanosleep(&span, NULL);
    return true;
}

/* A daemon that is killed by force is gone a moment after its monitor. */
static bool is_alive(const union place *place)
{
    int64_t until_ns = clock_now_ns() + DYING_MOST_NS;
    enum found found;

    while ((found = look(place)) == FOUND_HEIR && wait_a_little(until_ns))
        ;
    return found != FOUND_NOBODY;
}

/* Locks the socket's folder, so that of two daemons that find a dead socket only one replaces it.
 * Returns the folder, or -1. */
static int lock_folder(const char *path)
{
    CLEANUP(cleanup_free) char *copy = strdup(path);

    if (copy == NULL)
        abort();
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        flock(fd, LOCK_EX);
    return fd;
}

/* Makes way for a new socket. */
static bool remove_dead(const union place *place, struct error *error)
{
    const char *path = place->un.sun_path;
    struct stat status;

    if (lstat(path, &status) != 0)
        return true;
    if (!S_ISSOCK(status.st_mode))
        return error_set(error, "listen", "[http] listen: %s is there and is not a socket", path);
    if (is_alive(place))
        return error_set(error, "listen",
                         "[http] listen: somebody listens on %s already: is another sluice serve "
                         "running?",
                         path);
    if (unlink(path) != 0)
        return error_errno(error, "listen", "[http] listen: cannot replace the dead socket %s",
                           path);
    return true;
}

static bool bind_and_listen(int fd, const union place *place, socklen_t length, const char *address,
                            struct error *error)
{
    int64_t until_ns = clock_now_ns() + TCP_DYING_MOST_NS;
    int on = 1;

    if (place->any.sa_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (place->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    /* A Unix socket's file is made with the mode that the socket has: no moment with another. */
    bool can = place->any.sa_family != AF_UNIX || fchmod(fd, S_IRUSR | S_IWUSR) == 0;
    while (can && bind(fd, &place->any, length) != 0)
        can = errno == EADDRINUSE && place->any.sa_family != AF_UNIX && wait_a_little(until_ns);
    if (!can || listen(fd, SOMAXCONN) != 0)
        return error_errno(error, "listen", "[http] listen: cannot listen on %s", address);
    return true;
}

int listener_open(const char *address, struct error *error)
{
    union place place;
    socklen_t length;
    CLEANUP(cleanup_close) int folder = -1;

    if (!parse(address, &place, &length, error))
        return -1;
    if (place.any.sa_family == AF_UNIX) {
        folder = lock_folder(place.un.sun_path);
        if (!remove_dead(&place, error))
            return -1;
    }
    int fd = socket(place.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        error_errno(error, "listen", "[http] listen: cannot make a socket for %s", address);
    else if (!bind_and_listen(fd, &place, length, address, error)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool is_listening_stream(int fd)
{
    int listens = 0, type = 0;
    socklen_t length = sizeof(listens);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens != 0 &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

bool listener_take_passed(int *fd, struct error *error)
{
    enum { FIRST_PASSED = 3 };
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");

    *fd = -1;
    if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != getpid())
        return true;
    bool is_one = strcmp(count, "1") == 0;
    if (!is_one)
        error_set(error, "listen", "LISTEN_FDS is %.20s: one socket may be passed", count);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (!is_one)
        return false;
    if (!is_listening_stream(FIRST_PASSED))
        return error_set(error, "listen",
                         "what was passed by LISTEN_FDS is not a listening stream socket");
    if (fcntl(FIRST_PASSED, F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(FIRST_PASSED, F_SETFL, fcntl(FIRST_PASSED, F_GETFL) | O_NONBLOCK) != 0)
        return error_errno(error, "listen", "cannot use the socket passed by LISTEN_FDS");
    *fd = FIRST_PASSED;
    return true;
}

static bool is_loopback(const union place *place)
{
    if (place->any.sa_family == AF_INET)
        return ntohl(place->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    if (place->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&place->in6.sin6_addr);
    return place->any.sa_family == AF_UNIX;
}

bool listener_is_loopback(const char *address)
{
    union place place;
    socklen_t length;
    return parse(address, &place, &length, NULL) && is_loopback(&place);
}

static bool place_of(int fd, union place *place)
{
    socklen_t length = sizeof(*place);

    memset(place, 0, sizeof(*place));
    return getsockname(fd, &place->any, &length) == 0;
}

bool listener_fd_is_loopback(int fd)
{
    union place place;
    return place_of(fd, &place) && is_loopback(&place);
}

uint16_t listener_port(int fd)
{
    union place place;

    if (!place_of(fd, &place))
        return 0;
    if (place.any.sa_family == AF_INET)
        return ntohs(place.in.sin_port);
    return place.any.sa_family == AF_INET6 ? ntohs(place.in6.sin6_port) : 0;
}

char *listener_address(int fd)
{
    char host[INET6_ADDRSTRLEN] = "";
    char *address = NULL;
    union place place;
    int length = -1;

    if (!place_of(fd, &place))
        return NULL;
    if (place.any.sa_family == AF_UNIX)
        length = asprintf(&address, "unix:%s", place.un.sun_path);
    else if (place.any.sa_family == AF_INET)
        length =
            asprintf(&address, "%s:%u", inet_ntop(AF_INET, &place.in.sin_addr, host, sizeof(host)),
                     ntohs(place.in.sin_port));
    else if (place.any.sa_family == AF_INET6)
        length = asprintf(&address, "[%s]:%u",
                          inet_ntop(AF_INET6, &place.in6.sin6_addr, host, sizeof(host)),
                          ntohs(place.in6.sin6_port));
    return length < 0 ? NULL : address;
}

void listener_remove(const char *address)
{
    union place place;
    socklen_t length;

    if (unix_path(address) == NULL || !parse(address, &place, &length, NULL))
        return;
    CLEANUP(cleanup_close) __attribute__((unused)) int folder = lock_folder(place.un.sun_path);
    remove_dead(&place, NULL);
}
