/* Events come over a connection of their own, on which nothing is sure to arrive: what ended before
 * it stood, while it was lost or when too much came at once is missing. So the job itself is looked
 * at as soon as the connection stands and every second from then on, and at the end the failures
 * that nobody told of are asked for. */
#include "cli/follow.h"

#include <string.h>

#include "cli/event_stream.h"
#include "cli/field.h"
#include "cli/follow_end.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "support/cleanup.h"
#include "support/clock.h"

#define LOOK_NS       NS_PER_S
#define EVENTS_IDLE_S 60 /* the daemon sends a comment every 15 s */
#define AGAIN_NS      (500 * NS_PER_MS)

struct watch {
    const struct follow *follow;
    struct follow_end end;
    struct event_stream events;
    json_t *job; /* once it is over */
    int code;    /* why there is no use in waiting any longer; 0: there is */
    int64_t looked_ns;
    int64_t heard_ns; /* when the daemon last answered */
    bool lost;        /* and that it does not answer was said */
    bool listens;     /* the events have begun */
};

/* The daemon did not answer: it may be starting again. */
static void note_lost(struct watch *watch)
{
    if (!watch->lost)
        output_error("lost the daemon at %s: looking for it for %d s",
                     daemon_place(watch->follow->daemon), FOLLOW_LOST_MOST_S);
    watch->lost = true;
}

/* Asks for the job; whether to go on waiting. */
static bool look(struct watch *watch)
{
    const struct follow *follow = watch->follow;
    const struct daemon_question question = {.before = "/v1/jobs/", .name = follow->job};
    CLEANUP(daemon_answer_fini) struct daemon_answer answer;

    watch->looked_ns = clock_now_ns();
    bool well = daemon_send(follow->daemon, &question, &answer);
    bool refused = answer.end == CLIENT_ANSWERED && answer.status < 500;
    bool late = watch->looked_ns - watch->heard_ns > FOLLOW_LOST_MOST_S * NS_PER_S;
    if (well && strcmp(field_text(answer.json, "state"), "over") == 0)
        watch->job = json_incref(answer.json);
    else if (!well && (refused || late))
        watch->code = daemon_explain(follow->daemon, &answer);
    else if (!well)
        note_lost(watch);
    if (well)
        watch->heard_ns = watch->looked_ns;
    watch->lost &= !well;
    return watch->job == NULL && watch->code == 0;
}

static bool on_tick(void *context, int status)
{
    struct watch *watch = context;
    bool begins = status != 0 && !watch->listens;

    watch->listens = status != 0;
    return (!begins && clock_now_ns() - watch->looked_ns < LOOK_NS) || look(watch);
}

static bool on_piece(void *context, int status, const char *bytes, size_t length)
{
    struct watch *watch = context;

    return status == 200 && event_stream_feed(&watch->events, bytes, length);
}

/* Whatever the end of the job says is in the job itself: it is asked for. */
static bool on_event(void *context, const char *name, const char *data)
{
    struct watch *watch = context;

    if (strcmp(name, "task") == 0) {
        json_t *task = json_loads(data, 0, NULL);
        follow_end_tell(&watch->end, task);
        json_decref(task);
    }
    return strcmp(name, "job") != 0;
}

static void listen(struct watch *watch)
{
    CLEANUP(daemon_answer_fini) struct daemon_answer answer;
    const struct daemon_question question = {.before = "/v1/events?job=",
                                             .name = watch->follow->job};
    const struct daemon_reader reader = {
        .take = on_piece,
        .tick = on_tick,
        .context = watch,
        .stop_fd = watch->follow->interrupt_fd,
        .idle_s = EVENTS_IDLE_S,
    };

    watch->looked_ns = clock_now_ns();
    watch->listens = false;
    daemon_stream(watch->follow->daemon, &question, &reader, &answer);
    event_stream_reset(&watch->events);
}

/* Returns the exit code of a signal; 0: the job is over, or watch->code says why not. */
static int wait_for_end(struct watch *watch)
{
    int fd = watch->follow->interrupt_fd, signalled = 0;

    for (bool more = true; more && signalled == 0;) {
        listen(watch);
        signalled = interrupt_code(fd);
        more = signalled == 0 && watch->job == NULL && watch->code == 0 && look(watch);
        if (more)
            signalled = interrupt_wait(fd, AGAIN_NS);
    }
    return signalled;
}

static void say_goes_on(const struct follow *follow)
{
    output_error("%s goes on: `sluice status %s' says how, `sluice cancel %s' ends it",
                 follow->name, follow->job, follow->job);
}

static void watch_fini(struct watch *watch)
{
    follow_end_fini(&watch->end);
    event_stream_reset(&watch->events);
    json_decref(watch->job);
}

int follow_job(const struct follow *follow)
{
    CLEANUP(watch_fini)
    struct watch watch = {
        .follow = follow,
        .end = {.follow = follow, .told = json_object()},
        .heard_ns = clock_now_ns(),
    };

    watch.events = (struct event_stream){.take = on_event, .context = &watch};
    int signalled = wait_for_end(&watch);
    if (signalled != 0)
        say_goes_on(follow);
    if (signalled != 0 || watch.job == NULL)
        return signalled != 0 ? signalled : watch.code;
    return follow_end_say(&watch.end, watch.job);
}
