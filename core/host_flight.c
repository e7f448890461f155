/* What an earlier host had in hand when it died: those attempts are over, and nobody is charged.
 * One of them may be what it died of. */
#include <string.h>

#include "execute/flight.h"
#include "host_internal.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/log.h"

enum { NAMED_MOST = 10 }; /* tasks that are named in the log */

struct in_hand {
    struct store *store;
    struct isolation *isolation;
    const struct flight_task *task; /* that is looked at */
    bool is_current;
    uint64_t count;
    struct buffer names;
};

static void in_hand_fini(struct in_hand *in_hand)
{
    buffer_fini(&in_hand->names);
}

/* The attempt may have ended after it was written down, and the task with it. */
static bool look(void *context, const struct store_task *task)
{
    struct in_hand *in_hand = context;
    in_hand->is_current =
        task->state == STORE_UNFINISHED && task->attempt == in_hand->task->attempt;
    if (in_hand->is_current && ++in_hand->count <= NAMED_MOST)
        buffer_printf(&in_hand->names, "%s%s:%s (%s)", in_hand->names.length > 0 ? ", " : "",
                      task->job->given.id, task->given.id, task->given.type);
    return false;
}

static bool end_attempt(struct in_hand *in_hand, struct error *error)
{
    const struct flight_task *task = in_hand->task;
    struct store_retry retry = {.name = {.job = task->job,
                                         .epoch = store_epoch(in_hand->store),
                                         .number = task->number,
                                         .attempt = task->attempt},
                                .how = {.started_wall_ns = task->started_wall_ns,
                                        .ended_wall_ns = clock_wall_ns(),
                                        .reason = "interrupted",
                                        .message = "the host ended while it ran"}};
    if (!task->is_apart)
        isolation_suspect(in_hand->isolation, task->job, task->number);
    return store_retry(in_hand->store, &retry, 1, error);
}

static bool end_attempts(struct in_hand *in_hand, const struct flight_found *found,
                         struct error *error)
{
    for (size_t i = 0; i < found->count; i++) {
        struct store_position at = {found->tasks[i].job, found->tasks[i].number};
        in_hand->task = &found->tasks[i];
        in_hand->is_current = false;
        if (!store_recall(in_hand->store, &(struct store_places){&at, 1}, look, in_hand, error) ||
            (in_hand->is_current && !end_attempt(in_hand, error)))
            return false;
    }
    return in_hand->count == 0 || store_commit(in_hand->store, error);
}

static void tell(struct in_hand *in_hand)
{
    if (in_hand->count > NAMED_MOST)
        buffer_puts(&in_hand->names, ", ...");
    if (in_hand->count > 0)
        log_warning("the host died while tasks ran: they run again, and nothing is charged",
                    LOG_NUMBER("tasks", in_hand->count),
                    LOG_TEXT("which", buffer_text(&in_hand->names)));
}

bool host_flight_recover(struct host *host, struct error *error)
{
    struct stages *stages = &host->stages;
    const char *path = stages->options.flight_path;
    struct flight *flight = executor_flight(stages->executor);
    CLEANUP(flight_found_fini) struct flight_found found = {0};
    CLEANUP(in_hand_fini)
    struct in_hand in_hand = {.store = stages->store, .isolation = host->isolation};
    struct error problem;
    if (path == NULL)
        return true;
    if (!flight_read(path, store_epoch(stages->store), &found, &problem))
        log_warning("the flight recorder of the last host is not used",
                    LOG_TEXT("reason", problem.message));
    if (!end_attempts(&in_hand, &found, error))
        return false;
    tell(&in_hand);
    if (flight != NULL && !flight_replace(flight, &problem))
        log_warning("the flight recorder is not in its place", LOG_TEXT("reason", problem.message));
    return true;
}
