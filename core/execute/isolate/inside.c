#include "execute/isolate/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "execute/isolate/channel.h"
#include "execute/isolate/frame.h"
#include "execute/isolate/seat.h"
#include "execute/performer.h"
#include "plugin/call_log.h"
#include "plugin/crash.h"
#include "plugin/solo.h"
#include "support/child.h"
#include "support/clock.h"
#include "support/log.h"
#include "support/thread.h"

enum {
    OUTPUT_PIECE_BYTES = 16 * 1024,
    OUTPUT_PIECES_MOST = 64,
    ARENA_BLOCK_BYTES = 16 * 1024,
    STRAY_LOOKS_MOST = 50,
};

struct inside {
    struct seat *seat;
    int work_fd, control_fd;
    int output_fd; /* -1: nobody keeps what is printed */
    struct frame_setup setup;
    struct solo *solo;
    const struct offer *offers;
    uint32_t offers_count;
    /* the main thread */
    struct performer performer;
    struct buffer received;
    struct arena arena;    /* of the frame received */
    struct buffer sent;    /* of the main thread's own */
    nlink_t threads_usual; /* that no call has left behind */
    struct frame_tasks tasks;
    _Atomic uint64_t current; /* call_name of the call in progress; 0: there is none */
    struct mutex output_lock; /* what is printed is read by one at a time, in its order */
    struct thread control;
};

/* One a process: log lines have no other way to it. */
static struct inside inside = {.output_fd = -1};

/* Batches are numbered from 1. */
static uint64_t call_name(uint32_t batch, uint32_t index)
{
    return (uint64_t)batch << 32 | index;
}

/* The host is gone, or says something that cannot be: there is nobody to serve. */
static _Noreturn void give_up(void)
{
    _exit(EXIT_FAILURE);
}

static void send_frame(const struct buffer *frame)
{
    if (channel_send(inside.work_fd, frame, 0) != CHANNEL_OK)
        give_up();
}

/* ---- what is said on the way ---- */

static void say(const char *line)
{
    struct buffer frame CLEANUP(buffer_fini) = BUFFER_EMPTY;
    frame_put_said(&frame, line);
    send_frame(&frame);
}

/* Any thread of the plugin, within the call. */
static void keep(void *context, const char *text, size_t length)
{
    struct buffer frame CLEANUP(buffer_fini) = BUFFER_EMPTY;
    uint64_t current = atomic_load(&inside.current);
    (void)context;
    frame_put_keep(&frame, (uint32_t)(current >> 32), (uint32_t)current, text, length);
    send_frame(&frame);
}

/* Reads what was printed so far and has it kept for the call in progress; not what a process that
 * was left behind goes on to print. */
static void pass_output(void)
{
    char piece[OUTPUT_PIECE_BYTES];
    ssize_t got;
    MUTEX_GUARD(&inside.output_lock);
    for (int i = 0;
         i < OUTPUT_PIECES_MOST && (got = read(inside.output_fd, piece, sizeof piece)) > 0; i++)
        call_log_print(&inside.performer.call, piece, (size_t)got);
}

/* ---- the thread that waits for the host ---- */

/* The call may be about to begin, or over by now. */
static void cancel_call(uint64_t which)
{
    struct call *call = &inside.performer.call;
    while (atomic_load(&inside.current) == which) {
        uint64_t turn = atomic_load(&call->turn);
        if ((turn & CALL_CANCELLED) != 0 || call_cancel(call, turn))
            return;
        sched_yield();
    }
}

static void take_control(struct buffer *frame)
{
    uint32_t batch, index;
    switch (channel_receive(inside.control_fd, frame, MSG_DONTWAIT)) {
    case CHANNEL_EMPTY:
        return;
    case CHANNEL_CLOSED:
    case CHANNEL_BROKEN:
        give_up();
    case CHANNEL_OK:
        break;
    }
    if (!frame_get_cancel(frame->bytes, frame->length, &batch, &index))
        give_up();
    cancel_call(call_name(batch, index));
}

static void control_run(void *argument)
{
    struct buffer frame = BUFFER_EMPTY; /* for as long as the process lives */
    struct pollfd fds[] = {{.fd = inside.control_fd, .events = POLLIN},
                           {.fd = inside.output_fd, .events = POLLIN}};
    (void)argument;
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            give_up();
        if (fds[0].revents != 0)
            take_control(&frame);
        if ((fds[1].revents & POLLIN) != 0)
            pass_output();
        else if (fds[1].revents != 0)
            fds[1].fd = -1; /* nobody can print any more */
    }
}

/* ---- the calls ---- */

static void send_answer(uint32_t index, const struct answer *answer, bool was_asked)
{
    const struct frame_answer sent = {.batch = inside.tasks.batch,
                                      .index = index,
                                      .was_asked = was_asked,
                                      .ended_ns = clock_now_ns(),
                                      .answer = *answer};
    inside.sent.length = 0;
    frame_put_answer(&inside.sent, &sent);
    send_frame(&inside.sent);
}

/* Returns how many threads there are, and a number that is always the same: a folder has a link for
 * each of its folders. 0: nobody knows. */
static nlink_t count_threads(void)
{
    struct stat tasks;
    return stat("/proc/self/task", &tasks) == 0 ? tasks.st_nlink : 0;
}

/* What worker_init starts lives until worker_exit, and is usual. */
static void perform(const struct frame_task *task, struct answer *answer)
{
    struct performer *performer = &inside.performer;
    const struct offer *offer = &inside.offers[task->offer];
    bool is_first = offer->worker_init != NULL && !performer->began[offer->index];
    nlink_t before = is_first ? count_threads() : 0;
    if (!performer_begin(performer, offer, answer))
        return;
    nlink_t after = is_first ? count_threads() : 0;
    if (after > before)
        inside.threads_usual += after - before;
    performer_run(performer, offer, task->params, answer);
}

/* Makes the call; true: it has succeeded and there is nothing else to say about it. */
static bool make_call(uint32_t index, const struct frame_task *task, int64_t started_ns)
{
    struct performer *performer = &inside.performer;
    const struct call_task seen = {
        .task_id = task->id,
        .job_id = inside.tasks.job,
        .type = task->type,
        .labels = task->labels.count > 0 ? &task->labels : NULL,
        .attempt = task->attempt,
        .deadline_ns =
            task->timeout_ns > 0 ? clock_add_ns(started_ns, task->timeout_ns) : CLOCK_NEVER_NS,
    };
    struct answer answer;
    atomic_store(&inside.current, call_name(inside.tasks.batch, index));
    call_begin(&performer->call, &seen);
    perform(task, &answer);
    if (inside.output_fd >= 0) {
        fflush(stdout);
        pass_output();
    }
    bool was_asked = (call_end(&performer->call) & CALL_CANCELLED) != 0;
    bool is_plain = answer.how == ANSWER_RETURNED && answer.status == SLUICE_OK &&
                    answer.outputs == NULL && !was_asked;
    if (!is_plain)
        send_answer(index, &answer, was_asked);
    atomic_store(&inside.current, 0);
    return is_plain;
}

static void run_task(uint32_t index)
{
    struct seat_task *shown = &inside.seat->tasks[index];
    const struct frame_task *task = &inside.tasks.tasks[index];
    int64_t started_ns = clock_now_ns();
    if (task->offer >= inside.offers_count)
        give_up();
    atomic_store_explicit(&shown->started_ns, started_ns, memory_order_relaxed);
    atomic_store_explicit(&shown->phase, SEAT_RUNS, memory_order_release);
    bool is_plain = make_call(index, task, started_ns);
    atomic_store_explicit(&shown->ended_ns, clock_now_ns(), memory_order_relaxed);
    atomic_store_explicit(&shown->phase, is_plain ? SEAT_SUCCEEDED : SEAT_ANSWERED,
                          memory_order_release);
}

/* What is resident costs a system call to know: only if it matters. */
static uint64_t resident_bytes(void)
{
    unsigned long long size, pages = 0;
    CLEANUP(cleanup_fclose) FILE *file = NULL;
    if (inside.setup.memory_most == 0)
        return 0;
    file = fopen("/proc/self/statm", "re");
    if (file == NULL || fscanf(file, "%llu %llu", &size, &pages) != 2)
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Threads that were there when the plugin was loaded, or that worker_init has started, are its own
 * affair; what calls have left behind is not (rule R3). One that was joined is counted for a moment
 * longer, until the system is done with it. */
static bool has_strays(void)
{
    const struct timespec moment = {.tv_nsec = NS_PER_MS / 10};
    for (int looks = 0; count_threads() > inside.threads_usual; looks++) {
        if (looks == STRAY_LOOKS_MOST)
            return true;
        nanosleep(&moment, NULL);
    }
    return false;
}

static void run_batch(void)
{
    for (uint32_t index; (index = atomic_fetch_add(&inside.seat->next, 1)) < inside.tasks.count;)
        run_task(index);
    const struct frame_done done = {inside.tasks.batch, has_strays(), resident_bytes()};
    inside.sent.length = 0;
    frame_put_done(&inside.sent, &done);
    send_frame(&inside.sent);
}

/* Until the host closes its end. */
static void serve(void)
{
    while (channel_receive(inside.work_fd, &inside.received, 0) == CHANNEL_OK) {
        arena_reset(&inside.arena);
        if (!frame_get_tasks(inside.received.bytes, inside.received.length, &inside.arena,
                             &inside.tasks))
            give_up();
        run_batch();
    }
}

/* ---- the beginning and the end ---- */

static bool map_seat(void)
{
    void *seat = mmap(NULL, sizeof(struct seat), PROT_READ | PROT_WRITE, MAP_SHARED,
                      CHILD_FIRST_FD + INSIDE_SEAT, 0);
    inside.seat = seat;
    return seat != MAP_FAILED;
}

static bool take_setup(void)
{
    static struct buffer frame; /* the setup borrows it */
    arena_init(&inside.arena, ARENA_BLOCK_BYTES, 0);
    static struct arena kept;
    arena_init(&kept, ARENA_BLOCK_BYTES, 0);
    return channel_receive(inside.work_fd, &frame, 0) == CHANNEL_OK &&
           frame_get_setup(frame.bytes, frame.length, &kept, &inside.setup);
}

static bool take_descriptors(void)
{
    inside.work_fd = CHILD_FIRST_FD + INSIDE_WORK;
    inside.control_fd = CHILD_FIRST_FD + INSIDE_CONTROL;
    child_settle(INSIDE_FDS_MOST);
    return map_seat() && take_setup();
}

static void take_output(void)
{
    if (!inside.setup.keeps_output)
        return;
    inside.output_fd = CHILD_FIRST_FD + INSIDE_OUTPUT;
    inside.performer.call.keep_log = keep;
}

/* The sanitizers' own memory is more than any limit. */
static void limit_memory(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const struct rlimit limit = {inside.setup.memory_most, inside.setup.memory_most};
    if (inside.setup.memory_most > 0)
        setrlimit(RLIMIT_DATA, &limit);
#endif
}

static bool load(void)
{
    struct error error;
    const struct solo_order order = {.path = inside.setup.copy,
                                     .settings = inside.setup.settings,
                                     .settings_count = inside.setup.settings_count};
    inside.solo = solo_load(&order, SOLO_INITIALISED, &error);
    if (inside.solo == NULL) {
        frame_put_refused(&inside.sent, error.message);
        send_frame(&inside.sent);
        return false;
    }
    crash_know(inside.setup.copy);
    inside.offers = solo_offers(inside.solo, &inside.offers_count);
    performer_init(&inside.performer, solo_self(inside.solo), inside.offers_count);
    inside.performer.call.progress = &inside.seat->progress;
    take_output();
    return true;
}

static void begin(void)
{
    struct error error;
    frame_put_ready(&inside.sent);
    send_frame(&inside.sent);
    if (!thread_start(&inside.control, "control", control_run, NULL, &error))
        give_up();
    inside.threads_usual = count_threads();
}

static void end(void)
{
    performer_leave(&inside.performer, inside.offers, inside.offers_count);
    solo_unload(&inside.solo);
}

int inside_run(const char *name)
{
    (void)name;
    if (!take_descriptors())
        return EXIT_FAILURE;
    mutex_init(&inside.output_lock);
    log_configure(inside.setup.log_level, inside.setup.log_format);
    log_divert(say);
    crash_watch(&inside.seat->crash, NULL);
    crash_thread_begin();
    limit_memory();
    if (!load())
        return EXIT_FAILURE;
    begin();
    serve();
    end();
    return EXIT_SUCCESS;
}
