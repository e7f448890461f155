#include "execute/isolate/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "execute/isolate/channel.h"
#include "execute/isolate/inside.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/log.h"

/* More than a pipe holds: somebody who has left the session may write for ever. */
enum { TAIL_PIECES_MOST = 256 };

/* The ends that a new process gets; closed here once it has them. */
struct ends {
    int fds[INSIDE_FDS_MOST];
    size_t count;
    int printed_fd; /* what it prints into; -1: what we have */
};

static void ends_fini(struct ends *ends)
{
    for (size_t i = 0; i < ends->count; i++)
        close(ends->fds[i]);
    if (ends->printed_fd >= 0)
        close(ends->printed_fd);
}

void process_init(struct process *process)
{
    *process =
        (struct process){.child = CHILD_NONE, .work_fd = -1, .control_fd = -1, .output_fd = -1};
}

bool process_runs(const struct process *process)
{
    return process->child.pid != 0;
}

clockid_t process_cpu_clock(const struct process *process)
{
    clockid_t clock;
    return clock_getcpuclockid(process->child.pid, &clock) == 0 ? clock : 0;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void process_drop(struct process *process)
{
    close_fd(&process->work_fd);
    close_fd(&process->control_fd);
    close_fd(&process->output_fd);
}

void process_fini(struct process *process)
{
    process_drop(process);
    if (process->seat != NULL)
        munmap(process->seat, sizeof *process->seat);
    process->seat = NULL;
    buffer_fini(&process->frame);
}

/* ---- starting ---- */

static bool add_channel(int *ours, struct ends *ends)
{
    int pair[2];
    if (!channel_pair(pair))
        return false;
    *ours = pair[0];
    ends->fds[ends->count++] = pair[1];
    return true;
}

/* A new one each time: the one before may have left anything in it. */
static bool add_seat(struct process *process, struct ends *ends)
{
    int fd = memfd_create("seat", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return false;
    ends->fds[ends->count++] = fd;
    if (ftruncate(fd, sizeof(struct seat)) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
        return false;
    void *seat = mmap(NULL, sizeof(struct seat), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (seat == MAP_FAILED)
        return false;
    if (process->seat != NULL)
        munmap(process->seat, sizeof *process->seat);
    process->seat = seat;
    return true;
}

/* Another way to read the same pipe, that nobody else can have wait. */
static int open_again(int fd)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/* Both sides may read: the process on its way, we what it has left. */
static bool add_output(struct process *process, struct ends *ends)
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0)
        return false;
    process->output_fd = pair[0];
    ends->printed_fd = pair[1];
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    int theirs = open_again(pair[0]);
    if (theirs < 0)
        return false;
    ends->fds[ends->count++] = theirs;
    return true;
}

static bool spawn(struct process *process, const char *name, bool keeps_output, struct error *error)
{
    CLEANUP(ends_fini) struct ends ends = {.printed_fd = -1};
    if (!add_channel(&process->work_fd, &ends) || !add_channel(&process->control_fd, &ends) ||
        !add_seat(process, &ends) || (keeps_output && !add_output(process, &ends)))
        return error_errno(error, "spawn", "a worker process cannot be started");
    const struct child_order order = {.role = "worker",
                                      .name = name,
                                      .fds = ends.fds,
                                      .fds_count = ends.count,
                                      .output_fd = ends.printed_fd};
    return child_start(&process->child, &order, error);
}

static bool send_setup(struct process *process, const struct frame_setup *setup,
                       struct error *error)
{
    CLEANUP(buffer_fini) struct buffer frame = BUFFER_EMPTY;
    frame_put_setup(&frame, setup);
    return channel_send(process->work_fd, &frame, 0) == CHANNEL_OK ||
           error_set(error, "left", "it was gone before it was told what to load");
}

void process_say(const char *line)
{
    log_pass(line);
}

/* Returns false when something comes that ends the wait: READY, or an *error. */
static bool greet(struct process *process, bool *is_ready, struct error *error)
{
    const char *text;
    switch (channel_receive(process->work_fd, &process->frame, MSG_DONTWAIT)) {
    case CHANNEL_EMPTY:
        return true;
    case CHANNEL_CLOSED:
        return error_set(error, "left", "it left while it was loaded");
    case CHANNEL_BROKEN:
        return error_set(error, "protocol", "it does not say what a worker process says");
    case CHANNEL_OK:
        break;
    }
    const char *bytes = process->frame.bytes;
    size_t length = process->frame.length;
    enum frame_kind kind = frame_kind_of(bytes, length);
    if (kind == FRAME_SAID && frame_get_said(bytes, length, &text)) {
        process_say(text);
        return true;
    }
    *is_ready = kind == FRAME_READY && length == 1;
    if (*is_ready)
        return false;
    if (kind == FRAME_REFUSED && frame_get_refused(bytes, length, &text))
        return error_set(error, "refused", "%s", text);
    return error_set(error, "protocol", "it does not say what a worker process says");
}

static int left_ms(int64_t deadline_ns)
{
    if (deadline_ns == CLOCK_NEVER_NS)
        return -1;
    int64_t left_ns = deadline_ns - clock_now_ns();
    return left_ns <= 0 ? 0 : left_ns > 60 * NS_PER_S ? 60000 : (int)(left_ns / NS_PER_MS) + 1;
}

static bool await_ready(struct process *process, int64_t deadline_ns, struct error *error)
{
    struct pollfd fd = {.fd = process->work_fd, .events = POLLIN};
    bool is_ready = false;
    do {
        poll(&fd, 1, left_ms(deadline_ns));
        if (clock_now_ns() >= deadline_ns)
            return error_set(error, "late", "it was not ready in time");
    } while (greet(process, &is_ready, error));
    return is_ready;
}

/* How a process has ended that was not ready yet says more than that it has. */
static void explain(struct process *process, const struct child_end *end, struct error *error)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    if (strcmp(error->code, "left") != 0)
        return;
    if (atomic_load(&process->seat->crash.signal) != 0)
        crash_describe(&process->seat->crash, NULL, &text);
    else if (end->signal != 0)
        buffer_printf(&text, "it was ended by signal %d (%s)", end->signal, strsignal(end->signal));
    else
        buffer_printf(&text, "it left by exit(%d)", end->exit_code);
    error_set(error, "left", "died while its plugin was loaded: %s", buffer_text(&text));
}

bool process_start(struct process *process, const char *name, const struct frame_setup *setup,
                   int64_t deadline_ns, struct error *error)
{
    struct child_end end;
    if (spawn(process, name, setup->keeps_output, error)) {
        if (send_setup(process, setup, error) && await_ready(process, deadline_ns, error))
            return true;
        process_kill(process, &end);
        explain(process, &end, error);
    }
    process_drop(process);
    return false;
}

/* ---- ending ---- */

bool process_await(const struct process *process, int64_t deadline_ns)
{
    return child_await(&process->child, deadline_ns);
}

void process_kill(struct process *process, struct child_end *end)
{
    child_kill(&process->child);
    child_reap(&process->child, CLOCK_NEVER_NS, end);
}

/* Takes what it says; false: no more will come. */
static bool hear_line(struct process *process)
{
    const char *line;
    switch (channel_receive(process->work_fd, &process->frame, MSG_DONTWAIT)) {
    case CHANNEL_OK:
        if (frame_get_said(process->frame.bytes, process->frame.length, &line))
            process_say(line);
        return true;
    case CHANNEL_EMPTY:
        return true;
    case CHANNEL_CLOSED:
    case CHANNEL_BROKEN:
        break;
    }
    return false;
}

/* Lets it say its last words until it is gone; a child that it has left may keep its end open. */
static void hear_out(struct process *process, int64_t deadline_ns)
{
    struct pollfd fds[] = {{.fd = process->work_fd, .events = POLLIN},
                           {.fd = process->child.pidfd, .events = POLLIN}};
    while (poll(fds, 2, left_ms(deadline_ns)) > 0 && clock_now_ns() < deadline_ns)
        if (fds[0].revents == 0 || !hear_line(process))
            return;
}

void process_stop(struct process *process, int64_t deadline_ns)
{
    struct child_end end;
    if (!process_runs(process))
        return;
    shutdown(process->work_fd, SHUT_WR);
    hear_out(process, deadline_ns);
    process_kill(process, &end);
    process_drop(process);
}

void process_tail(struct process *process, struct buffer *tail)
{
    char piece[PROCESS_TAIL_BYTES];
    ssize_t got;
    if (process->output_fd < 0)
        return;
    for (int i = 0;
         i < TAIL_PIECES_MOST && (got = read(process->output_fd, piece, sizeof piece)) > 0; i++)
        buffer_append(tail, piece, (size_t)got);
    if (tail->length > PROCESS_TAIL_BYTES) {
        size_t more = tail->length - PROCESS_TAIL_BYTES;
        memmove(tail->bytes, tail->bytes + more, PROCESS_TAIL_BYTES);
        tail->length = PROCESS_TAIL_BYTES;
    }
    for (size_t i = 0; i < tail->length; i++)
        if (tail->bytes[i] == '\0')
            tail->bytes[i] = '?';
}
