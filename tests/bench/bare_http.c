/* bare_http SOCKET: the least that libmicrohttpd does for a request: a thread of its own on epoll, the
 * body read and thrown away, 202 with as long a JSON as `sluice serve` answers. Runs
 * until it is ended by a signal. */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char answer[] = "{\"task\":\"01J00000000000000000000000:t000001\","
                       "\"job\":\"01J00000000000000000000000\"}\n";

/* libmicrohttpd's call for the headers, each piece of the body, and the end of it. */
static enum MHD_Result on_access(void *cls, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *length, void **context)
{
    static int begun;

    (void)cls, (void)url, (void)method, (void)version, (void)data;
    if (*context == NULL) {
        *context = &begun;
        return MHD_YES;
    }
    if (*length > 0) {
        *length = 0;
        return MHD_YES;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof(answer) - 1, answer, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_ACCEPTED, response);
    MHD_destroy_response(response);
    return result;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (strlen(path) >= sizeof(address.sun_path))
        return -1;
    strcpy(address.sun_path, path);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, SOMAXCONN) != 0)
        return -1;
    return fd;
}

int main(int argc, char **argv)
{
    int fd = argc == 2 ? listen_at(argv[1]) : -1;

    if (fd < 0) {
        fprintf(stderr, "usage: bare_http SOCKET, which must not be there yet\n");
        return 2;
    }
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL, 0, NULL, NULL, on_access,
                         NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_END);
    if (daemon == NULL)
        return 1;
    pause();
    return 0;
}
