/* rogue: each way in which a call can play false with its host. It has frame.c of the host with it, to
 * forge what a worker process says. */
#include <sluice/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "execute/isolate/frame.h"
#include "execute/isolate/inside.h"
#include "execute/isolate/seat.h"
#include "support/child.h"

enum {
    WORK = CHILD_FIRST_FD + INSIDE_WORK,
    CONTROL = CHILD_FIRST_FD + INSIDE_CONTROL,
    OUTPUT = CHILD_FIRST_FD + INSIDE_OUTPUT
};

struct rogue_params {
    int how;
    const char *file;
};

/* Set by a call, and looked at where the process leaves. */
static volatile sig_atomic_t hangs_in_exit, hangs_in_deinit;

static volatile sig_atomic_t always = 1;

static void pause_for_ever(void)
{
    while (always)
        pause();
}

static void sleep_ms(long ms)
{
    const struct timespec span = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&span, NULL);
}

static void crash(void)
{
    kill(getpid(), SIGSEGV);
}

/* ---- what is said ---- */

static void send_bytes(int fd, const void *bytes, size_t length, int flags)
{
    if (send(fd, bytes, length, flags | MSG_NOSIGNAL) < 0)
        return;
}

static void send_frame(const struct buffer *frame)
{
    send_bytes(WORK, frame->bytes, frame->length, 0);
}

static void garbage(int fd)
{
    unsigned char bytes[512];
    for (unsigned i = 0; i < 1000; i++) {
        for (unsigned at = 0; at < sizeof bytes; at++)
            bytes[at] = (unsigned char)((i + 3) * 2654435761U >> (at % 24));
        send_bytes(fd, bytes, 1 + i % sizeof bytes, MSG_DONTWAIT);
    }
}

static void forge(uint32_t batch, uint32_t index)
{
    struct buffer frame = BUFFER_EMPTY;
    const struct answer answer = {.status = SLUICE_OK, .code = "", .message = ""};
    frame_put_answer(&frame,
                     &(struct frame_answer){.batch = batch, .index = index, .answer = answer});
    send_frame(&frame);
    buffer_fini(&frame);
}

/* Says a kind of frame again and again, without an end. */
static void flood(enum frame_kind kind)
{
    struct buffer frame = BUFFER_EMPTY;
    if (kind == FRAME_SAID)
        frame_put_said(&frame, "blah");
    else
        frame_put_keep(&frame, 1, 0, "blah\n", 5);
    while (always)
        send_frame(&frame);
}

static void send_body(int seals)
{
    char room[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec vector = {"x", 1};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    int fd = memfd_create("body", MFD_ALLOW_SEALING);
    if (ftruncate(fd, 1 << 20) != 0 || fcntl(fd, F_ADD_SEALS, seals) != 0)
        return;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    if (sendmsg(WORK, &message, MSG_NOSIGNAL) == 1 && ftruncate(fd, 0) != 0)
        close(fd);
}

/* ---- the seat ---- */

static struct seat *seat_found;

static void look_for_seat(void)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        if (strstr(line, "memfd:seat") != NULL)
            seat_found = (struct seat *)strtoul(line, NULL, 16);
    if (maps != NULL)
        fclose(maps);
    if (seat_found == NULL)
        abort();
}

/* The same also when its mapping has been replaced, as a second call in the process finds it. */
static struct seat *find_seat(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, look_for_seat);
    return seat_found;
}

/* It has begun nothing, and what it has begun has just begun. */
static void deny(void)
{
    struct seat *seat = find_seat();
    for (unsigned i = 0; always; i++) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        atomic_store(&seat->tasks[0].started_ns, now.tv_sec * 1000000000L + now.tv_nsec);
        atomic_store(&seat->next, i % 2);
    }
}

static void replace_seat(void)
{
    void *at = find_seat();
    if (mmap(at, sizeof(struct seat), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at)
        abort();
}

/* Claims all to be done that comes from now on, and reads nothing of it. */
static void *parrot(void *argument)
{
    struct seat *seat = find_seat();
    struct buffer frame = BUFFER_EMPTY;
    for (uint32_t batch = 1; always; batch++) {
        for (int i = 0; i < FRAME_TASKS_MOST; i++)
            atomic_store(&seat->tasks[i].phase, SEAT_SUCCEEDED);
        atomic_store(&seat->next, FRAME_TASKS_MOST);
        frame.length = 0;
        frame_put_done(&frame, &(struct frame_done){.batch = batch});
        send_frame(&frame);
        sleep_ms(5);
    }
    return argument;
}

static void parrot_start(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, parrot, NULL) == 0)
        pause_for_ever();
}

/* ---- processes ---- */

static void write_pid(const char *path)
{
    FILE *file = fopen(path, "a");
    if (file == NULL)
        return;
    fprintf(file, "%d\n", (int)getpid());
    fclose(file);
}

/* A grandchild in a session of its own, which writes down who it is before its ancestor goes on;
 * true in it. */
static bool leave_session(const char *path)
{
    int there[2];
    char byte;
    if (pipe(there) != 0)
        return false;
    pid_t child = fork();
    if (child != 0) {
        close(there[1]);
        (void)!read(there[0], &byte, 1); /* until nobody has the other end */
        close(there[0]);
        return false;
    }
    setsid();
    if (fork() != 0)
        _exit(0);
    write_pid(path);
    close(there[0]);
    close(there[1]);
    return true;
}

/* A grandchild that nobody can tell from a daemon, since its environment is written over too; true
 * in it. */
static bool escape(const char *path)
{
    if (!leave_session(path))
        return false;
    for (char **at = environ; *at != NULL; at++)
        memset(*at, 'x', strlen(*at));
    return true;
}

/* Crashes when two have left its session: a copy of itself, and another program. */
static void desert(const char *path)
{
    for (int i = 0; i < 2; i++)
        if (leave_session(path)) {
            if (i == 1)
                execl("/bin/sleep", "sleep", "600", (char *)NULL);
            pause_for_ever();
        }
    crash();
}

static void print_for_ever(void)
{
    char line[4096];
    memset(line, 'y', sizeof line);
    while (write(STDOUT_FILENO, line, sizeof line) > 0)
        ;
    _exit(0);
}

/* Prints on and on while the calls after this one come and go. */
static void babble(void)
{
    static pid_t child = -1;
    if (child < 0)
        child = fork();
    while (child == 0 && write(STDOUT_FILENO, "blah\n", 5) > 0)
        ;
    if (child == 0)
        _exit(0);
}

/* Whoever reads what is printed would wait for the grandchild. */
static void have_wait(const char *path)
{
    fcntl(OUTPUT, F_SETFL, 0);
    if (escape(path))
        pause_for_ever();
    crash();
}

static void bomb(const char *path)
{
    int there[2];
    char byte = 0;
    if (pipe(there) != 0)
        return;
    for (int i = 0; i < 30; i++)
        if (fork() == 0) {
            for (int k = 0; k < 3; k++)
                if (fork() == 0)
                    setpgid(0, 0);
            write_pid(path);
            (void)!write(there[1], &byte, 1);
            pause_for_ever();
        }
    for (int i = 0; i < 30 * 8 && read(there[0], &byte, 1) == 1; i++) {
    }
}

/* Two go on where there was one. */
static void double_up(void)
{
    if (fork() != 0)
        pause_for_ever();
}

/* Ends the other worker processes of the host. */
static void kill_others(void)
{
    char command[256];
    snprintf(command, sizeof command,
             "for p in $(pgrep -P %d -f '^sluice-worker'); do [ $p = %d ] || kill -KILL $p; done",
             (int)getppid(), (int)getpid());
    if (system(command) < 0)
        return;
}

/* ---- what a process has ---- */

static void use_up_descriptors(void)
{
    while (open("/dev/null", O_RDONLY) >= 0)
        ;
}

static void limit_all(void)
{
    static const int resources[] = {RLIMIT_NOFILE, RLIMIT_FSIZE,   RLIMIT_NPROC,
                                    RLIMIT_STACK,  RLIMIT_MEMLOCK, RLIMIT_SIGPENDING};
    const struct rlimit none = {0, 0};
    for (size_t i = 0; i < sizeof resources / sizeof *resources; i++)
        setrlimit((__rlimit_resource_t)resources[i], &none);
}

static void sleep_at_exit(void)
{
    sleep_ms(60000);
}

#define HOWS(HOW)                                                                                  \
    HOW(nothing, (void)p)                                                                          \
    HOW(garbage_work, garbage(WORK))                                                               \
    HOW(garbage_control, garbage(CONTROL))                                                         \
    HOW(empty_frame, send_bytes(WORK, "", 0, 0); sleep_ms(5000))                                   \
    HOW(forge_own, forge(1, 0); sleep_ms(500))                                                     \
    HOW(forge_twice, forge(1, 0); forge(1, 0); sleep_ms(5000))                                     \
    HOW(forge_next, forge(1, 1); sleep_ms(5000))                                                   \
    HOW(forge_later, forge(2, 0); sleep_ms(5000))                                                  \
    HOW(forge_beyond, forge(1, 4000000000U); sleep_ms(5000))                                       \
    HOW(said_flood, flood(FRAME_SAID))                                                             \
    HOW(keep_flood, flood(FRAME_KEEP))                                                             \
    HOW(unsealed, send_body(0); sleep_ms(5000))                                                    \
    HOW(sealed, send_body(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);               \
        sleep_ms(5000))                                                                            \
    HOW(seat_garbage, memset(find_seat(), 0xa5, sizeof(struct seat)))                              \
    HOW(seat_deny, deny())                                                                         \
    HOW(seat_replace, replace_seat())                                                              \
    HOW(close_work, close(WORK); sleep_ms(5000))                                                   \
    HOW(close_control, close(CONTROL))                                                             \
    HOW(parrot, parrot_start())                                                                    \
    HOW(babble, babble())                                                                          \
    HOW(escape_and_print, if (escape(p->file)) print_for_ever(); crash())                          \
    HOW(escape_and_wait, have_wait(p->file))                                                       \
    HOW(desert, desert(p->file))                                                                   \
    HOW(bomb, bomb(p->file))                                                                       \
    HOW(double_up, double_up())                                                                    \
    HOW(kill_others, kill_others())                                                                \
    HOW(descriptors, use_up_descriptors())                                                         \
    HOW(limits, limit_all())                                                                       \
    HOW(exec_true, execl("/bin/true", "true", (char *)NULL))                                       \
    HOW(exec_sleep, execl("/bin/sleep", "sleep", "60", (char *)NULL))                              \
    HOW(at_exit, atexit(sleep_at_exit))                                                            \
    HOW(worker_exit, hangs_in_exit = 1)                                                            \
    HOW(deinit, hangs_in_deinit = 1)

enum how {
#define HOW(name, ...) HOW_##name,
    HOWS(HOW)
#undef HOW
};

static const char *const hows[] = {
#define HOW(name, ...) #name,
    HOWS(HOW)
#undef HOW
        NULL};

static const struct sluice_param rogue_table[] = {
    SLUICE_ENUM(struct rogue_params, how, .choices = hows, .def = "nothing",
                .help = "what the call does"),
    SLUICE_STRING(struct rogue_params, file, .def = "",
                  .help = "where ids of processes are written"),
    SLUICE_PARAMS_END,
};

static enum sluice_status rogue(const struct sluice_call *call, const void *params)
{
    const struct rogue_params *p = params;
    char pid[32];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    sluice_output(call, "pid", pid);
    switch ((enum how)p->how) {
#define HOW(name, ...)                                                                             \
    case HOW_##name:                                                                               \
        __VA_ARGS__;                                                                               \
        break;
        HOWS(HOW)
#undef HOW
    }
    return SLUICE_OK;
}

static bool is_in_worker_process(void)
{
    return strcmp(program_invocation_short_name, "sluice-worker") == 0;
}

/* What its setting `init` says, in a worker process alone. */
static bool rogue_init(const struct sluice_host *host, const struct sluice_settings *settings,
                       void **self, struct sluice_error *error)
{
    const char *how = settings->count > 0 && is_in_worker_process() ? settings->pairs[0].value : "";
    (void)self;
    while (strcmp(how, "talks") == 0)
        sluice_host_log(host, SLUICE_INFO, "blah");
    if (strcmp(how, "hangs") == 0)
        pause_for_ever();
    if (strcmp(how, "exits") == 0)
        exit(0);
    if (strcmp(how, "crashes") == 0)
        abort();
    return strcmp(how, "refuses") != 0 || sluice_error_set(error, "not here");
}

static bool rogue_worker_init(void *self, void **worker, struct sluice_error *error)
{
    (void)self;
    (void)worker;
    (void)error;
    return true;
}

static void rogue_worker_exit(void *self, void *worker)
{
    (void)self;
    (void)worker;
    if (hangs_in_exit)
        pause_for_ever();
}

static void rogue_deinit(void *self)
{
    (void)self;
    if (hangs_in_deinit)
        pause_for_ever();
}

static const struct sluice_type rogue_types[] = {
    {SLUICE_TYPE("rogue", "Plays false with its host."), .params = rogue_table,
     .params_size = sizeof(struct rogue_params), .execute = rogue, .worker_init = rogue_worker_init,
     .worker_exit = rogue_worker_exit},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("rogue", "1.0.0", "rogue", rogue_types, .init = rogue_init, .deinit = rogue_deinit)
