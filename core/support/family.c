/* family: a process is known to be of a session by /proc/PID/stat, or to have the mark by
 * /proc/PID/environ, and killed through that very folder, so that nobody is hit who has got the
 * number of one that is gone. */
#include "support/family.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/log.h"

enum {
    STAT_BYTES = 1024,
    KERNEL_THREAD_FLAG = 0x200000, /* PF_KTHREAD, among the flags of /proc/PID/stat */
};

/* How long somebody who cannot be killed just now (a disk does not answer) is waited for, and
 * somebody of whom cannot be told whether he is to be. */
#define KILL_MOST_NS    (10 * NS_PER_S)
#define UNCLEAR_MOST_NS (2 * NS_PER_S)

void family_mark(uint64_t mark, char text[FAMILY_MARK_BYTES])
{
    snprintf(text, FAMILY_MARK_BYTES, "SLUICE_CHILD_%016" PRIx64 "=1", mark);
}

static void close_stream(DIR **stream)
{
    if (*stream != NULL)
        closedir(*stream);
}

/* ---- a look at one process ---- */

/* What /proc/PID/stat says. */
struct life {
    char state;
    pid_t session;
    unsigned long long flags, threads, since, memory_bytes; /* since: in ticks */
    unsigned long long environment, environment_end;        /* addresses */
};

/* The fields of /proc/PID/stat, numbered as in proc(5). */
enum stat_field {
    STAT_STATE = 3,
    STAT_SESSION = 6,
    STAT_FLAGS = 9,
    STAT_THREADS = 20,
    STAT_STARTTIME = 22,
    STAT_VSIZE = 23,
    STAT_ENV_START = 50,
    STAT_ENV_END = 51,
    STAT_FIELDS,
};

/* "number (name) state parent group session ...", and a name may hold anything. */
static bool read_life(int folder_fd, struct life *life)
{
    char text[STAT_BYTES];
    const char *fields[STAT_FIELDS];
    int fd CLEANUP(cleanup_close) = openat(folder_fd, "stat", O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (bytes <= 0)
        return false;
    text[bytes] = '\0';
    const char *space = strrchr(text, ')');
    for (int i = STAT_STATE; i < STAT_FIELDS; i++) {
        space = space == NULL ? NULL : strchr(space + 1, ' ');
        if (space == NULL)
            return false;
        fields[i] = space + 1;
    }
    *life = (struct life){
        .state = *fields[STAT_STATE],
        .session = (pid_t)strtol(fields[STAT_SESSION], NULL, 10),
        .flags = strtoull(fields[STAT_FLAGS], NULL, 10),
        .threads = strtoull(fields[STAT_THREADS], NULL, 10),
        .since = strtoull(fields[STAT_STARTTIME], NULL, 10),
        .memory_bytes = strtoull(fields[STAT_VSIZE], NULL, 10),
        .environment = strtoull(fields[STAT_ENV_START], NULL, 10),
        .environment_end = strtoull(fields[STAT_ENV_END], NULL, 10),
    };
    return true;
}

/* A process is called dead after its first thread, though others may go on. */
static bool is_alive(const struct life *life)
{
    return (life->state != 'Z' && life->state != 'X') || life->threads > 1;
}

/* Whether somebody is wanted. */
enum sight {
    SIGHT_OTHER,   /* no, or is dead */
    SIGHT_UNCLEAR, /* in the midst of execve, or of its end, or no descriptor is left: look again */
    SIGHT_WANTED,
};

/* What is gone is nobody; what only cannot be opened may be. */
static enum sight look_at_failure(void)
{
    return errno == EMFILE || errno == ENFILE ? SIGHT_UNCLEAR : SIGHT_OTHER;
}

/* Without an entry: one that has an empty environment has an address of it nevertheless; one whose
 * new program is not there yet has none. */
static enum sight look_at_emptiness(int folder_fd)
{
    struct life life;
    if (!read_life(folder_fd, &life) || !is_alive(&life))
        return SIGHT_OTHER;
    return life.environment_end != 0 && life.environment_end == life.environment ? SIGHT_OTHER
                                                                                 : SIGHT_UNCLEAR;
}

static enum sight look_for_mark(int folder_fd, const char *mark)
{
    char *entry CLEANUP(cleanup_free) = NULL;
    size_t room = 0;
    bool is_empty = true;
    int fd = openat(folder_fd, "environ", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return look_at_failure();
    FILE *environment CLEANUP(cleanup_fclose) = fdopen(fd, "r");
    if (environment == NULL)
        abort();
    for (; getdelim(&entry, &room, '\0', environment) > 0; is_empty = false)
        if (strcmp(entry, mark) == 0)
            return SIGHT_WANTED;
    return is_empty ? look_at_emptiness(folder_fd) : SIGHT_OTHER;
}

/* Returns the number that a folder of /proc stands for; 0: for none. */
static pid_t number_of(const struct dirent *entry)
{
    bool is_number = entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
    return is_number ? (pid_t)strtol(entry->d_name, NULL, 10) : 0;
}

static int open_folder(int at_fd, const char *name)
{
    return openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The first thread is over, or about to make room for another that runs execve: any thread that has
 * memory left speaks for all. */
static enum sight look_at_threads(int folder_fd, const char *mark)
{
    int all_fd = open_folder(folder_fd, "task");
    DIR *stream CLEANUP(close_stream) = all_fd < 0 ? NULL : fdopendir(all_fd);
    const struct dirent *entry;
    struct life life;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        int fd CLEANUP(cleanup_close) =
            number_of(entry) == 0 ? -1 : open_folder(all_fd, entry->d_name);
        if (fd >= 0 && read_life(fd, &life) && life.memory_bytes > 0)
            return look_for_mark(fd, mark);
    }
    return SIGHT_UNCLEAR;
}

/* ---- all of them ---- */

/* Somebody who was sent the signal. His number may be given away when he is gone, not the moment
 * when he was started with it. */
struct killed {
    pid_t pid;
    unsigned long long since;
};

struct family {
    pid_t session;
    unsigned long long since; /* when the child was started, in ticks: nobody has its mark before */
    char mark[FAMILY_MARK_BYTES];
    struct buffer killed; /* of struct killed: whoever ends shows no environment any more, but holds
                             his descriptors */
};

static void family_init(struct family *family, pid_t session, uint64_t mark)
{
    char path[32];
    struct life life;
    snprintf(path, sizeof path, "/proc/%d", session);
    int fd CLEANUP(cleanup_close) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *family = (struct family){
        .session = session,
        .since = fd >= 0 && read_life(fd, &life) ? life.since : 0, /* at least a zombie is there */
        .killed = BUFFER_EMPTY,
    };
    family_mark(mark, family->mark);
}

static void family_fini(struct family *family)
{
    buffer_fini(&family->killed);
}

static bool was_killed(const struct family *family, const struct killed *one)
{
    const struct killed *all = (const struct killed *)family->killed.bytes;
    for (size_t i = 0; i < family->killed.length / sizeof *all; i++)
        if (all[i].pid == one->pid && all[i].since == one->since)
            return true;
    return false;
}

/* An environment takes longer to read than all the rest: only of those who may have the mark. */
static enum sight look_for_family(int folder_fd, const struct life *life,
                                  const struct family *family)
{
    if (life->since < family->since || (life->flags & KERNEL_THREAD_FLAG) != 0)
        return SIGHT_OTHER;
    if (life->memory_bytes > 0)
        return look_for_mark(folder_fd, family->mark);
    return life->state == 'Z' ? look_at_threads(folder_fd, family->mark) : SIGHT_UNCLEAR;
}

static enum sight look_at(int folder_fd, pid_t pid, struct family *family)
{
    struct life life;
    if (!read_life(folder_fd, &life))
        return look_at_failure();
    if (!is_alive(&life))
        return SIGHT_OTHER;
    struct killed one = {.pid = pid, .since = life.since};
    if (life.session == family->session || was_killed(family, &one))
        return SIGHT_WANTED;
    enum sight sight = look_for_family(folder_fd, &life, family);
    if (sight == SIGHT_WANTED)
        buffer_append(&family->killed, &one, sizeof one);
    return sight;
}

/* Sends the signal to all that are wanted and live; returns the most that was seen. */
static enum sight kill_all(struct family *family)
{
    DIR *stream CLEANUP(close_stream) = opendir("/proc");
    const struct dirent *entry;
    enum sight most = stream == NULL ? SIGHT_UNCLEAR : SIGHT_OTHER;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        pid_t pid = number_of(entry);
        if (pid == 0)
            continue;
        int fd CLEANUP(cleanup_close) = open_folder(dirfd(stream), entry->d_name);
        enum sight sight = fd < 0 ? look_at_failure() : look_at(fd, pid, family);
        if (sight == SIGHT_WANTED)
            pidfd_send_signal(fd, SIGKILL, NULL, 0);
        if (sight > most)
            most = sight;
    }
    return most;
}

void family_kill(pid_t session, uint64_t mark)
{
    CLEANUP(family_fini) struct family family;
    enum sight sight;
    int64_t since_ns = clock_now_ns();
    kill(-session, SIGKILL); /* most of them, also where no descriptor is left to look at them */
    family_init(&family, session, mark);
    while ((sight = kill_all(&family)) != SIGHT_OTHER) {
        int64_t passed_ns = clock_now_ns() - since_ns;
        if (passed_ns > (sight == SIGHT_UNCLEAR ? UNCLEAR_MOST_NS : KILL_MOST_NS)) {
            log_warning(sight == SIGHT_UNCLEAR ? "a process may be left"
                                               : "a process cannot be killed",
                        LOG_NUMBER("session", session));
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS / 2}, NULL);
    }
}
