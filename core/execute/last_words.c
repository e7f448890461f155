/* last_words: in the handler nothing is allocated, no lock is taken: the pool, the generation and
 * the group of a worker stay while its thread runs, and so does the task while the call does. */
#include "execute/last_words.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "execute/internal.h"
#include "plugin/crash.h"

enum {
    WAIT_MS = 1000, /* for a reader of standard error */
    TEXT_MOST = 256,
};

static struct crash_record record;
static struct last_words_options options;
static _Thread_local const struct worker *at_work;

void last_words_attend(const struct worker *worker)
{
    if (worker != NULL)
        crash_thread_begin();
    else
        crash_thread_end();
    at_work = worker;
}

static bool is_in_call(const struct worker *worker)
{
    return (atomic_load(&worker->performer.call.turn) & CALL_BUSY) != 0;
}

static void put_quoted(struct words *words, const char *text)
{
    words_put(words, "'");
    words_put_masked(words, text, TEXT_MOST);
    words_put(words, "'");
}

static void say_who(const struct worker *worker, struct words *words)
{
    struct crash_scene scene = crash_scene();
    if (scene.plugin != NULL) {
        words_put(words, "in the ");
        words_put(words, scene.step);
        words_put(words, " of plugin ");
        put_quoted(words, scene.plugin);
        return;
    }
    if (worker == NULL) {
        words_put(words, "in the host itself");
        return;
    }
    const struct call_task *task = &worker->performer.call.task;
    words_put(words, "in plugin ");
    put_quoted(words, worker->pool->generation->plugin);
    words_put(words, " ");
    words_put_masked(words, worker->pool->generation->version, TEXT_MOST);
    if (!is_in_call(worker)) {
        words_put(words, " or the host, between two tasks");
        return;
    }
    words_put(words, ", task ");
    put_quoted(words, task->task_id);
    words_put(words, " of type ");
    put_quoted(words, task->type);
}

static void say_advice(const struct worker *worker, struct words *words)
{
    if (worker == NULL || worker->group == NULL)
        return;
    words_put(words, "  to run it in a process of its own: ");
    if (options.command != NULL) {
        words_put_masked(words, options.command, TEXT_MOST);
    } else {
        words_put(words, "[group:");
        words_put_masked(words, worker->group->name, TEXT_MOST);
        words_put(words, "] isolation = process");
    }
    words_put(words, "\n");
}

/* A pipe takes so much as one piece if it has room: else nobody reads it, and nobody waits for
 * that. */
static void write_all(const struct words *words)
{
    struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&fd, 1, WAIT_MS) == 1 && (fd.revents & POLLOUT) != 0)
        (void)!write(STDERR_FILENO, words->bytes, words->length);
}

static void speak(int signal)
{
    static char bytes[PIPE_BUF];
    struct words words = {.bytes = bytes, .capacity = sizeof bytes};
    (void)signal;
    if (options.prefix != NULL)
        words_put(&words, options.prefix);
    words_put(&words, "sluice: crashed: ");
    crash_say_cause(&record, &words);
    words_put(&words, " ");
    say_who(at_work, &words);
    words_put(&words, "\n");
    say_advice(at_work, &words);
    for (uint32_t i = 0; i < record.frames_count; i++) {
        words_put(&words, "  ");
        crash_say_frame(&record, i, &words);
        words_put(&words, "\n");
    }
    bytes[words.length - 1] = '\n'; /* also where it was cut */
    write_all(&words);
}

void last_words_prepare(const struct last_words_options *wanted)
{
    options = *wanted;
    crash_watch(&record, speak);
}
