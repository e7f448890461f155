/* trial: the order goes to the process as JSON in a memory file, what it finds comes back word by
 * word. Which step was the last to begin says what the plugin was doing when the process ended. */
#include "cli/trial.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "cli/trial_word.h"
#include "support/child.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/ready.h"

static const int64_t start_most_ns = 10 * NS_PER_S, leave_most_ns = 10 * NS_PER_S;

/* The process, and what it is doing. */
struct trial {
    struct child child;
    int fd;
    struct findings *findings;
    struct trial_word step;
    int64_t step_until_ns;
};

static json_t *settings_json(const struct trial_order *order)
{
    const struct config *config = order->config;
    json_t *settings = json_object();

    for (size_t i = 0; i < config->settings_count; i++)
        if (strcmp(config->settings[i].plugin, order->plugin) == 0)
            json_object_set_new(settings, config->settings[i].key,
                                json_string(config->settings[i].value));
    for (size_t i = 0; i < order->settings_count; i++)
        json_object_set_new(settings, order->settings[i].key,
                            json_string(order->settings[i].value));
    return settings;
}

static json_t *order_json(const struct trial_order *order)
{
    CLEANUP(cleanup_free)
    char *folder = strndup(order->copy, (size_t)(strrchr(order->copy, '/') - order->copy));
    json_t *tasks = json_array();

    for (size_t i = 0; i < order->tasks_count; i++)
        json_array_append_new(tasks, json_string(order->tasks[i]));
    return json_pack("{ss, ss, ss, so, sb, so, sb}", "plugin", order->plugin, "folder", folder,
                     "state_dir", order->config->state_dir, "settings", settings_json(order),
                     "runs_tasks", order->tasks_mode == TRIAL_TASKS_RUN, "tasks", tasks, "verbose",
                     order->verbose);
}

/* Returns a memory file with the order, at its beginning. */
static int write_order(const struct trial_order *order, struct error *error)
{
    json_t *json = order_json(order);
    int fd = memfd_create("order", MFD_CLOEXEC);

    if (json == NULL)
        abort();
    if (fd < 0 || json_dumpfd(json, fd, JSON_COMPACT) != 0 || lseek(fd, 0, SEEK_SET) != 0) {
        error_errno(error, "no_trial", "cannot hand over what is to be tried");
        cleanup_close(&fd);
        fd = -1;
    }
    json_decref(json);
    return fd;
}

static bool start(struct trial *trial, const struct trial_order *order, struct error *error)
{
    int pair[2];
    int order_fd CLEANUP(cleanup_close) = write_order(order, error);

    if (order_fd < 0)
        return false;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return error_errno(error, "no_trial", "cannot make a socket");
    int theirs CLEANUP(cleanup_close) = pair[1];
    trial->fd = pair[0];
    return child_start(&trial->child,
                       &(struct child_order){.role = "trial",
                                             .name = order->plugin,
                                             .fds = (const int[]){theirs, order_fd},
                                             .fds_count = 2,
                                             .output_fd = STDERR_FILENO},
                       error);
}

static void take_step(struct trial *trial, const struct trial_word *word)
{
    trial->step = *word;
    trial->step_until_ns = clock_now_ns() + word->limit_ms * NS_PER_MS;
}

static void fail_step(const struct trial *trial, int rule, const char *what)
{
    char text[TRIAL_TEXT_BYTES + 128];

    snprintf(text, sizeof(text), "%s while %s", what, trial->step.text);
    findings_add(trial->findings, &(struct finding){FINDING_FAILED, trial->step.check, rule, text});
}

enum heard { HEARD_ALL, HEARD_END, HEARD_NOTHING };

/* Listens until the process has said all, is at its end, or says nothing for too long. */
static enum heard listen_to(struct trial *trial)
{
    struct trial_word word;

    for (;;) {
        const struct ready_wish wish = {
            .fd = trial->fd, .events = POLLIN, .stop_fd = -1, .until_ns = trial->step_until_ns};
        if (ready_wait(&wish) == READY_LATE)
            return HEARD_NOTHING;
        if (!trial_hear(trial->fd, &word))
            return HEARD_END;
        switch ((enum trial_word_kind)word.kind) {
        case TRIAL_STEP:
            take_step(trial, &word);
            break;
        case TRIAL_FINDING:
            findings_add(trial->findings,
                         &(struct finding){word.result, word.check, word.rule, word.text});
            break;
        case TRIAL_OVER:
            return HEARD_ALL;
        }
    }
}

/* The end of a process that has not said that it is through. */
static void tell_end(const struct trial *trial, const struct child_end *end)
{
    char what[96];

    if (end->signal != 0) {
        const char *name = sigabbrev_np(end->signal);
        snprintf(what, sizeof(what), "crashed by SIG%s", name == NULL ? "?" : name);
        fail_step(trial, 0, what);
        return;
    }
    snprintf(what, sizeof(what), "left the process with exit code %d", end->exit_code);
    fail_step(trial, 4, what);
}

static void end(struct trial *trial, enum heard heard)
{
    struct child_end how;

    if (heard == HEARD_NOTHING)
        fail_step(trial, 0, "did not come to an end");
    /* One that has closed its socket may go on. */
    bool has_left =
        heard == HEARD_END && child_await(&trial->child, clock_now_ns() + leave_most_ns);
    if (heard == HEARD_END && !has_left)
        fail_step(trial, 3, "closed descriptors that are not its own");
    child_kill(&trial->child);
    child_reap(&trial->child, CLOCK_NEVER_NS, &how);
    if (has_left)
        tell_end(trial, &how);
}

bool trial_run(const struct trial_order *order, struct findings *findings, struct error *error)
{
    struct trial trial = {.child = CHILD_NONE,
                          .fd = -1,
                          .findings = findings,
                          .step = {.check = "load", .text = "the process was started"},
                          .step_until_ns = clock_now_ns() + start_most_ns};
    bool started = start(&trial, order, error);

    if (started)
        end(&trial, listen_to(&trial));
    cleanup_close(&trial.fd);
    return started;
}
