/* Events come over a connection of their own, on which nothing is sure to arrive: what ended before
 * it stood, while it was lost or when too much came at once is missing. So the job itself is looked
 * at as soon as the connection stands and every second from then on, and at the end the failures
 * that nobody told of are asked for. A daemon that stops says the end of the job as its last word:
 * it can be asked for nothing then. */
#include "cli/follow.h"

#include <string.h>

#include "cli/command.h"
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
    int64_t gone_ns;  /* since when nobody listens where it was; 0: somebody does */
    bool lost;        /* and that it does not answer was said */
    bool listens;     /* the events have begun */
};

static int say_gone(const struct follow *follow)
{
    output_error("the daemon at %s is gone, and what became of %s (%s) with it: start one with "
                 "`sluice serve' and submit it again",
                 daemon_place(follow->daemon), follow->name, follow->job);
    return EXIT_HOST;
}

static int say_unknown(const struct follow *follow)
{
    output_error("the daemon at %s does not know %s (%s) any more: perhaps it was started again, "
                 "and it keeps its jobs in memory; submit it again",
                 daemon_place(follow->daemon), follow->name, follow->job);
    return EXIT_HOST;
}

/* The daemon did not answer. It may be starting again, which takes it not long; one that still
 * listens may have much to do. Sets why there is no use in waiting any longer. */
static void note_lost(struct watch *watch, const struct daemon_answer *answer)
{
    const struct follow *follow = watch->follow;
    bool gone = answer->end == CLIENT_NOBODY;

    if (!gone || watch->gone_ns == 0)
        watch->gone_ns = gone ? watch->looked_ns : 0;
    if (gone && watch->looked_ns - watch->gone_ns > FOLLOW_GONE_MOST_S * NS_PER_S)
        watch->code = say_gone(follow);
    else if (watch->looked_ns - watch->heard_ns > FOLLOW_LOST_MOST_S * NS_PER_S)
        watch->code = daemon_explain(follow->daemon, answer);
    else if (!watch->lost)
        output_error("lost the daemon at %s: looking for it", daemon_place(follow->daemon));
    watch->lost = true;
}

static void note_answer(struct watch *watch, const struct daemon_answer *answer)
{
    if (strcmp(field_text(answer->json, "state"), "over") == 0)
        watch->job = json_incref(answer->json);
    watch->heard_ns = watch->looked_ns;
    watch->gone_ns = 0;
    watch->lost = false;
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
    if (well)
        note_answer(watch, &answer);
    else if (refused && answer.status == 404)
        watch->code = say_unknown(follow);
    else if (refused)
        watch->code = daemon_explain(follow->daemon, &answer);
    else
        note_lost(watch, &answer);
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

/* The end of the job brings the job itself; where it does not, that is asked for. */
static bool on_event(void *context, const char *name, const char *data)
{
    struct watch *watch = context;
    bool is_task = strcmp(name, "task") == 0, is_end = strcmp(name, "job") == 0;
    json_t *json = is_task || is_end ? json_loads(data, 0, NULL) : NULL;

    if (is_task)
        follow_end_tell(&watch->end, json);
    else if (is_end && watch->job == NULL && strcmp(field_text(json, "state"), "over") == 0)
        watch->job = json_incref(json);
    json_decref(json);
    return !is_end;
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
