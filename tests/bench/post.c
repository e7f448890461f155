/* post SOCKET PATH CONNECTIONS REQUESTS [BODY-FILE]: sends the same body again and again over a Unix
 * socket, HTTP/1.1 keep-alive, one request in flight on each connection, and checks that every answer
 * is 202. Prints how many there were a second, and how long one took. Without a file it asks by GET,
 * where 200 is right, and prints the beginning of the last answer too. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { KEPT_BYTES = 4096, READ_BYTES = 64 * 1024, CONNECT_MS = 5000, WAIT_MS = 60 * 1000 };

struct connection {
    int fd;
    size_t received; /* of the answer, the beginning of which is kept: */
    int64_t begun_ns;
    char answer[KEPT_BYTES + 1];
};

struct load {
    int epoll_fd;
    char *request;
    size_t length;
    const char *right; /* how a right answer begins */
    const char *last;  /* the newest one's body */
    size_t wanted, begun, done;
    double *took_us; /* of each that is done */
};

static void fail(const char *what)
{
    fprintf(stderr, "post: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *allocate(size_t bytes)
{
    void *memory = calloc(1, bytes);
    if (memory == NULL)
        abort();
    return memory;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Connects, and waits for who is to listen there. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timespec pause = {.tv_nsec = 1000000};

    if (strlen(path) >= sizeof(address.sun_path))
        fail("the socket's path is too long");
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (int i = 0; i < CONNECT_MS; i++) {
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
            return fd;
        nanosleep(&pause, NULL);
    }
    fail("connect");
    return -1;
}

static void make_get(struct load *load, const char *path)
{
    load->right = "HTTP/1.1 200 ";
    load->request = allocate(strlen(path) + 100);
    load->length =
        (size_t)sprintf(load->request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
}

static void make_post(struct load *load, const char *path, const char *body_file)
{
    FILE *file = fopen(body_file, "r");
    struct stat status;

    if (file == NULL || fstat(fileno(file), &status) != 0)
        fail(body_file);
    size_t body = (size_t)status.st_size;
    load->right = "HTTP/1.1 202 ";
    load->request = allocate(strlen(path) + body + 200);
    int head = sprintf(load->request,
                       "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       "Content-Length: %zu\r\n\r\n",
                       path, body);
    if (fread(load->request + head, 1, body, file) != body)
        fail(body_file);
    fclose(file);
    load->length = (size_t)head + body;
}

/* May wait for who reads it, but that one waits for nobody: answers fit into the socket. */
static void begin(struct load *load, struct connection *connection)
{
    connection->received = 0;
    connection->begun_ns = now_ns();
    load->begun++;
    for (size_t sent = 0; sent < load->length;) {
        ssize_t some =
            send(connection->fd, load->request + sent, load->length - sent, MSG_NOSIGNAL);
        if (some < 0)
            fail("send");
        sent += (size_t)some;
    }
}

/* Returns whether all of the answer is there; a wrong one ends the program. */
static bool is_whole(struct load *load, const struct connection *connection)
{
    const char *end = strstr(connection->answer, "\r\n\r\n");
    const char *length = strcasestr(connection->answer, "\r\nContent-Length:");

    if (end == NULL)
        return false;
    if (length == NULL || strncmp(connection->answer, load->right, strlen(load->right)) != 0) {
        fprintf(stderr, "post: not %s: %s\n", load->right, connection->answer);
        exit(1);
    }
    load->last = end + 4;
    return connection->received >=
           (size_t)(load->last - connection->answer) + strtoul(length + 17, NULL, 10);
}

static void keep(struct connection *connection, const char *bytes, size_t length)
{
    if (connection->received < KEPT_BYTES) {
        size_t room = KEPT_BYTES - connection->received;
        size_t kept = length < room ? length : room;
        memcpy(connection->answer + connection->received, bytes, kept);
        connection->answer[connection->received + kept] = '\0';
    }
    connection->received += length;
}

static void receive(struct load *load, struct connection *connection)
{
    static char bytes[READ_BYTES];
    ssize_t some = recv(connection->fd, bytes, sizeof(bytes), 0);

    if (some <= 0)
        fail(some == 0 ? "the connection was closed" : "recv");
    keep(connection, bytes, (size_t)some);
    if (!is_whole(load, connection))
        return;
    load->took_us[load->done++] = (double)(now_ns() - connection->begun_ns) / 1e3;
    if (load->begun < load->wanted)
        begin(load, connection);
}

static void open_all(struct load *load, const char *path, size_t count)
{
    struct connection *connections = allocate(count * sizeof(*connections));

    load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < count; i++) {
        connections[i].fd = connect_to(path);
        struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = &connections[i]}};
        if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, connections[i].fd, &event) != 0)
            fail("epoll_ctl");
    }
    for (size_t i = 0; i < count && load->begun < load->wanted; i++)
        begin(load, &connections[i]);
}

static void run(struct load *load)
{
    struct epoll_event events[64];

    while (load->done < load->wanted) {
        int count = epoll_wait(load->epoll_fd, events, 64, WAIT_MS);
        if (count <= 0)
            fail("no answer");
        for (int i = 0; i < count; i++)
            receive(load, events[i].data.ptr);
    }
}

static int compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static void print(struct load *load, double seconds)
{
    size_t last = load->done - 1;

    qsort(load->took_us, load->done, sizeof(*load->took_us), compare);
    printf("%zu answers %.6f seconds %.1f a second, p50 %.1f us p99 %.1f us\n", load->done, seconds,
           (double)load->done / seconds, load->took_us[last / 2], load->took_us[last * 99 / 100]);
}

int main(int argc, char **argv)
{
    struct load load = {0};

    if (argc != 5 && argc != 6) {
        fprintf(stderr, "usage: post SOCKET PATH CONNECTIONS REQUESTS [BODY-FILE]\n");
        return 2;
    }
    load.wanted = strtoul(argv[4], NULL, 10);
    load.took_us = allocate((load.wanted + 1) * sizeof(*load.took_us));
    if (argc == 6)
        make_post(&load, argv[2], argv[5]);
    else
        make_get(&load, argv[2]);
    int64_t begun_ns = now_ns();
    open_all(&load, argv[1], strtoul(argv[3], NULL, 10));
    run(&load);
    print(&load, (double)(now_ns() - begun_ns) / 1e9);
    if (argc == 5)
        printf("%s\n", load.last);
    return 0;
}
