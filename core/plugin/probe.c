#include "plugin/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/crash.h"
#include "plugin/solo.h"
#include "support/child.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/units.h"

/* What the process gets: a socket, which says that it was started by this program, and the seat. */
enum { PROBE_FD_SOCKET, PROBE_FD_SEAT, PROBE_FDS_COUNT };

enum probe_answer { PROBE_SILENT, PROBE_SOUND, PROBE_REFUSED };

/* The plugin runs in the other process: it may have written anything here. */
struct probe_seat {
    _Atomic uint32_t answer; /* enum probe_answer; stored last */
    _Atomic uint32_t alone;  /* 1: it has no processes of its own */
    char path[PATH_MAX];
    char message[ERROR_MESSAGE_BYTES];
    struct crash_record crash;
};

/* ---- in the host ---- */

/* Returns a line of a text, masked. */
static void take_line(struct words *words, const char *text, unsigned number)
{
    for (; number > 0 && text != NULL; number--) {
        text = strchr(text, '\n');
        text = text == NULL ? NULL : text + 1;
    }
    if (text != NULL)
        words_put_masked(words, text, strcspn(text, "\n"));
}

/* Returns the first frame of the plugin, or 0, which is the place of the crash. */
static unsigned frame_to_name(const struct crash_record *crash)
{
    for (unsigned i = 0; i < crash->frames_count && i < CRASH_FRAMES_MOST; i++)
        if (crash->frames[i].is_plugin == 1)
            return i;
    return 0;
}

/* One line: what it died of, and where in the plugin. */
static bool refuse_crashed(const struct probe_seat *seat, const char *path, struct error *error)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    char line[ERROR_MESSAGE_BYTES] = "";
    struct words words = {.bytes = line, .capacity = sizeof line - 1};
    crash_describe(&seat->crash, path, &text);
    take_line(&words, buffer_text(&text), 0);
    words_put(&words, " ");
    take_line(&words, buffer_text(&text), 1 + frame_to_name(&seat->crash));
    return error_set(error, "crashed", "its constructor or entry crashed: %s", line);
}

static bool refuse_as_told(const struct probe_seat *seat, struct error *error)
{
    char message[ERROR_MESSAGE_BYTES] = "";
    struct words words = {.bytes = message, .capacity = sizeof message - 1};
    words_put_masked(&words, seat->message, sizeof seat->message);
    return error_set(error, "refused", "%s", message);
}

/* What it has said counts only if it has left as it does then. */
static bool judge(const struct probe_seat *seat, const struct child_end *end, const char *path,
                  struct error *error)
{
    uint32_t answer = atomic_load(&seat->answer);
    if (end->signal != 0 && seat->crash.signal == end->signal)
        return refuse_crashed(seat, path, error);
    if (end->signal != 0)
        return error_set(error, "crashed", "its constructor or entry was ended by signal %d (%s)",
                         end->signal, sigdescr_np(end->signal));
    if (answer == PROBE_SOUND && end->exit_code == 0)
        return true;
    if (answer == PROBE_REFUSED && end->exit_code == 0)
        return refuse_as_told(seat, error);
    return error_set(error, "left", "left by exit(%d) while it was loaded", end->exit_code);
}

static bool refuse_late(int64_t limit_ns, struct error *error)
{
    char limit[32];
    return error_set(error, "late", "its constructor or entry did not end within %s",
                     units_format_duration(limit_ns, limit, sizeof limit));
}

static bool cannot_start(struct error *error)
{
    return error_errno(error, "spawn", "a process to try it in cannot be started");
}

/* Nobody is looked for who is left behind, which takes as long as the probe itself, if it has left
 * as it should and was alone then. */
static bool await_end(struct child *child, const struct probe_seat *seat, const char *path,
                      int64_t limit_ns, struct error *error)
{
    struct child_end end;
    bool in_time = child_await(child, clock_add_ns(clock_now_ns(), limit_ns));
    if (!in_time || atomic_load(&seat->alone) != 1)
        child_kill(child);
    child_reap(child, CLOCK_NEVER_NS, &end);
    return in_time ? judge(seat, &end, path, error) : refuse_late(limit_ns, error);
}

static bool try_in(struct probe_seat *seat, int seat_fd, const char *path, int64_t limit_ns,
                   struct error *error)
{
    CLEANUP(cleanup_close) int output_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int pair[2];
    struct child child;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return cannot_start(error);
    const int fds[] = {[PROBE_FD_SOCKET] = pair[1], [PROBE_FD_SEAT] = seat_fd};
    const struct child_order order = {.role = "probe",
                                      .name = path,
                                      .fds = fds,
                                      .fds_count = PROBE_FDS_COUNT,
                                      .output_fd = output_fd};
    bool started = child_start(&child, &order, error);
    close(pair[1]);
    bool sound = started && await_end(&child, seat, path, limit_ns, error);
    close(pair[0]);
    return sound;
}

static struct probe_seat *map_seat(int fd)
{
    void *seat = mmap(NULL, sizeof(struct probe_seat), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return seat == MAP_FAILED ? NULL : seat;
}

bool probe_run(const char *path, int64_t limit_ns, struct error *error)
{
    CLEANUP(cleanup_close) int fd = memfd_create("probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, sizeof(struct probe_seat)) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
        return cannot_start(error);
    struct probe_seat *seat = map_seat(fd);
    if (seat == NULL)
        return cannot_start(error);
    snprintf(seat->path, sizeof seat->path, "%s", path);
    bool sound = try_in(seat, fd, path, limit_ns, error);
    munmap(seat, sizeof *seat);
    return sound;
}

/* ---- in the process ---- */

/* Those of its processes whose parent is gone become this one's, so that none is overlooked. */
static bool is_alone(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

int probe_serve(const char *name)
{
    struct error error;
    (void)name;
    child_settle(PROBE_FDS_COUNT);
    struct probe_seat *seat = map_seat(CHILD_FIRST_FD + PROBE_FD_SEAT);
    if (seat == NULL)
        _exit(EXIT_FAILURE);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    crash_watch(&seat->crash, NULL);
    crash_know(seat->path);
    const struct solo_order order = {.path = seat->path};
    bool sound = solo_load(&order, SOLO_ENTERED, &error) != NULL;
    if (!sound)
        snprintf(seat->message, sizeof seat->message, "%s", error.message);
    atomic_store(&seat->alone, is_alone());
    atomic_store(&seat->answer, sound ? PROBE_SOUND : PROBE_REFUSED);
    _exit(EXIT_SUCCESS); /* destructors are for those who use the plugin */
}
