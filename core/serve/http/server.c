/* The http thread waits for three things: somebody connects, something is ready, or
 * libmicrohttpd's own descriptor says that a connection can go on. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "serve/http/internal.h"
#include "support/log.h"

/* Those that are refused are libmicrohttpd's until its next round. */
enum { REFUSED_AT_ONCE = 16 };
#define ACCEPT_PAUSE_NS (100 * NS_PER_MS) /* when no descriptor is left */

static struct http_ready closed_queue;

bool server_push(struct http *http, struct http_ready *ready)
{
    struct http_ready *first = atomic_load(&http->ready);

    do {
        if (first == &closed_queue)
            return false;
        ready->next = first;
    } while (!atomic_compare_exchange_weak(&http->ready, &first, ready));
    if (first == NULL)
        eventfd_write(http->wake_fd, 1);
    return true;
}

void server_hold(struct http *http)
{
    atomic_fetch_add(&http->holders, 1);
}

void server_release(struct http *http)
{
    if (atomic_fetch_sub(&http->holders, 1) > 1)
        return;
    close(http->wake_fd);
    free(http->token);
    free(http);
}

static void take_ready(struct http *http, struct http_ready *next_first)
{
    struct http_ready *ready = atomic_exchange(&http->ready, next_first);

    while (ready != NULL) {
        struct http_ready *next = ready->next;
        ready->take(ready);
        ready = next;
    }
}

/* Somebody has connected, and libmicrohttpd has taken nobody: it had no descriptor for it. Then it
 * does not try again before some connection has ended, so it gets one that has. */
static void retry_accepting(struct http *http)
{
    bool is_first = http->accept_at_ns == 0;
    int ended = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (ended < 0 && is_first) /* said once, not ten times a second */
        log_warning("cannot accept a connection", LOG_TEXT("error", strerror(errno)));
    http->accept_at_ns = clock_now_ns() + ACCEPT_PAUSE_NS;
    if (ended < 0)
        return;
    struct sockaddr_un nobody = {.sun_family = AF_UNIX};
    http->is_retrying = true;
    MHD_add_connection(http->daemon, ended, (struct sockaddr *)&nobody, sizeof(sa_family_t));
    http->is_retrying = false;
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

/* How long to wait at most, in milliseconds, rounded up; -1: for ever. */
static int timeout_ms(const struct http *http, bool accepts, int64_t now_ns)
{
    MHD_UNSIGNED_LONG_LONG mhd_ms = 0;
    int64_t until_ns = http->sweep_at_ns;

    if (MHD_get_timeout(http->daemon, &mhd_ms) == MHD_YES)
        until_ns = earlier(until_ns, clock_add_ns(now_ns, (int64_t)mhd_ms * NS_PER_MS));
    if (atomic_load(&http->phase) == HTTP_STOPPING)
        until_ns = earlier(until_ns, atomic_load(&http->stop_deadline_ns));
    else if (!accepts && atomic_load(&http->phase) == HTTP_RUNNING)
        until_ns = earlier(until_ns, http->accept_at_ns);
    if (until_ns == CLOCK_NEVER_NS)
        return -1;
    if (until_ns <= now_ns)
        return 0;
    int64_t span_ms = (until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
    return span_ms > 60000 ? 60000 : (int)span_ms;
}

static void run(struct http *http)
{
    unsigned before = http->handled_count;

    MHD_run(http->daemon);
    if (http->handled_count != before && http->options.called != NULL)
        http->options.called(http->options.context);
}

/* Libmicrohttpd asks for the answers of a round in the next one, and sends them in the one after
 * that. Who reads them is to have a processor before those who are woken for the tasks. */
static void round_run(struct http *http)
{
    http->handled_count = 0;
    run(http);
    for (int i = 0; i < 2 && http->handled_count > 0; i++)
        run(http);
    if (http->options.handled != NULL)
        http->options.handled(http->options.context);
}

static void read_clocks(struct http *http)
{
    time_t date_s = time(NULL);

    http->now_ns = clock_now_ns();
    if (date_s == http->date_s)
        return;
    struct tm date;
    http->date_s = date_s;
    gmtime_r(&date_s, &date);
    strftime(http->date, sizeof(http->date), "%a, %d %b %Y %H:%M:%S GMT", &date);
}

static void turn(struct http *http)
{
    int64_t now_ns = clock_now_ns();
    bool accepts = atomic_load(&http->phase) == HTTP_RUNNING && now_ns >= http->accept_at_ns;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    /* Without a descriptor and any connection libmicrohttpd would try again at once, for ever. */
    struct pollfd fds[] = {
        {.fd = http->wake_fd, .events = POLLIN},
        {.fd = accepts || http->connections_count > 0 ? info->epoll_fd : -1, .events = POLLIN},
        {.fd = accepts ? http->options.listen_fd : -1, .events = POLLIN},
    };
    unsigned accepted_before = http->accepted_count;

    if (poll(fds, 3, timeout_ms(http, accepts, now_ns)) < 0)
        return;
    read_clocks(http);
    if (fds[0].revents != 0) {
        eventfd_t count;
        eventfd_read(http->wake_fd, &count);
        take_ready(http, NULL);
    }
    if (!http->drained && atomic_load(&http->phase) != HTTP_RUNNING) {
        http->drained = true;
        close(MHD_quiesce_daemon(http->daemon));
        connection_drain(http);
    }
    round_run(http);
    if (fds[2].revents != 0 && http->accepted_count == accepted_before)
        retry_accepting(http);
    now_ns = clock_now_ns();
    if (now_ns >= http->sweep_at_ns)
        connection_sweep(http, now_ns);
}

static bool is_over(struct http *http)
{
    return atomic_load(&http->phase) == HTTP_STOPPING &&
           (http->requests_count == 0 || clock_now_ns() >= atomic_load(&http->stop_deadline_ns));
}

static void server_run(void *argument)
{
    struct http *http = argument;

    request_thread_is(http);
    while (!is_over(http))
        turn(http);
    connection_give_up(http);
    MHD_stop_daemon(http->daemon);
    take_ready(http, &closed_queue);
}

__attribute__((format(printf, 2, 0))) static void log_message(void *cls, const char *format,
                                                              va_list arguments)
{
    char text[512];

    (void)cls;
    vsnprintf(text, sizeof(text), format, arguments);
    text[strcspn(text, "\n")] = '\0';
    log_debug("libmicrohttpd", LOG_TEXT("message", text));
}

/* Texts stay as they came: uri.c decodes what it has cut first. */
static size_t leave_escaped(void *cls, struct MHD_Connection *mhd, char *text)
{
    (void)cls;
    (void)mhd;
    return strlen(text);
}

static bool is_unix(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof(address);
    return getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
           address.ss_family == AF_UNIX;
}

/* Libmicrohttpd accepts itself: of a connection that it is given it does not know that it is on a
 * Unix socket, and sets options of TCP with every answer, in vain. */
static struct MHD_Daemon *start_daemon(struct http *http)
{
    int listen_fd = fcntl(http->options.listen_fd, F_DUPFD_CLOEXEC, 0); /* which it closes */

    if (listen_fd < 0)
        return NULL;
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        request_on_access, http, MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_EXTERNAL_LOGGER,
        log_message, NULL, MHD_OPTION_CONNECTION_LIMIT,
        http->options.limits.max_connections + REFUSED_AT_ONCE, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HTTP_HEADER_BYTES, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_NOTIFY_CONNECTION, connection_on_notify, http, MHD_OPTION_NOTIFY_COMPLETED,
        request_on_completed, http, MHD_OPTION_URI_LOG_CALLBACK, request_on_line, http,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_END);
}

static bool has_room_for_connections(unsigned max_connections, struct error *error)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY ||
        files.rlim_cur >= (rlim_t)max_connections + HTTP_FILES_LEFT)
        return true;
    return error_set(error, "files",
                     "[http] max_connections is %u, but %llu files may be open, which is enough "
                     "for %lld: lower it, or raise `ulimit -n` (LimitNOFILE)",
                     max_connections, (unsigned long long)files.rlim_cur,
                     (long long)files.rlim_cur - HTTP_FILES_LEFT);
}

struct http *http_start(const struct http_options *options, struct error *error)
{
    if (!has_room_for_connections(options->limits.max_connections, error))
        return NULL;
    struct http *http = calloc(1, sizeof(*http));
    if (http == NULL)
        abort();
    http->options = *options;
    http->token = options->token != NULL ? strdup(options->token) : NULL;
    /* Behind a Unix socket there is no name that a web page could have taken over. */
    http->checks_host = !is_unix(options->listen_fd) ||
                        (options->allowed_hosts != NULL && options->allowed_hosts[0] != NULL);
    http->holders = 1;
    http->sweep_at_ns = CLOCK_NEVER_NS;
    http->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    http->daemon = http->wake_fd >= 0 ? start_daemon(http) : NULL;
    if (http->daemon == NULL)
        error_errno(error, "http", "cannot start the HTTP server");
    else if (thread_start(&http->thread, "http", server_run, http, error))
        return http;
    else
        MHD_stop_daemon(http->daemon);
    server_release(http);
    return NULL;
}

void http_drain(struct http *http)
{
    enum http_phase running = HTTP_RUNNING;

    if (atomic_compare_exchange_strong(&http->phase, &running, HTTP_DRAINING))
        eventfd_write(http->wake_fd, 1);
}

void http_stop(struct http **http, int64_t deadline_ns)
{
    if (*http == NULL)
        return;
    struct http *gone = *http;
    *http = NULL;
    atomic_store(&gone->stop_deadline_ns, deadline_ns);
    atomic_store(&gone->phase, HTTP_STOPPING);
    eventfd_write(gone->wake_fd, 1);
    thread_join(&gone->thread);
    server_release(gone);
}
