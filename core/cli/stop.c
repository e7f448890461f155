#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/output.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/ready.h"
#include "support/units.h"

enum { OPTION_TIMEOUT = 2000 };
#define TIMEOUT_NS      (60 * NS_PER_S)
#define LOOK_NS         (50 * NS_PER_MS)
#define TIMEOUT_MOST_NS (24 * 3600 * NS_PER_S)

struct stop {
    struct options *common;
    int64_t timeout_ns;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct stop *stop = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = stop->common;
        return 0;
    case OPTION_TIMEOUT:
        if (!units_parse_duration(argument, strlen(argument), &stop->timeout_ns) ||
            stop->timeout_ns > TIMEOUT_MOST_NS)
            argp_error(state, "--timeout: '%s' is not a duration such as 30s, at most 24h",
                       argument);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option table[] = {
    {.name = "timeout",
     .key = OPTION_TIMEOUT,
     .arg = "DURATION",
     .doc = "how long to wait until it is gone; 60s without it, 0: not at all"},
    {0},
};

static const struct argp argp = {
    .options = table,
    .parser = parse,
    .doc =
        "Stops the daemon, as SIGTERM does: nothing new begins, what runs may end within the grace "
        "period. Waits until it is gone. Once more: what runs is cancelled."
        "\vFor example:\n\n"
        "  sluice stop\n\n"
        "Exit code: 0 it is gone; 1 it still stops; 3 there is no daemon.\n",
    .children = options_children,
};

static bool is_gone(struct daemon *daemon)
{
    const struct daemon_question question = {.before = "/healthz"};
    CLEANUP(daemon_answer_fini) struct daemon_answer answer;

    daemon_send(daemon, &question, &answer);
    return answer.end == CLIENT_NOBODY;
}

/* Returns whether nobody listens there any more in time. */
static bool wait_until_gone(struct daemon *daemon, int64_t timeout_ns)
{
    int64_t until_ns = clock_now_ns() + timeout_ns;

    for (;;) {
        if (is_gone(daemon))
            return true;
        int64_t now_ns = clock_now_ns();
        if (now_ns >= until_ns)
            return false;
        ready_wait(&(const struct ready_wish){
            .fd = -1,
            .stop_fd = -1,
            .until_ns = now_ns + LOOK_NS < until_ns ? now_ns + LOOK_NS : until_ns});
    }
}

static int say(const struct options *options, const char *state)
{
    if (options->format == FORMAT_JSON)
        output_json(json_pack("{ss}", "state", state));
    else if (!options->quiet)
        puts(state);
    return EXIT_ALL_WELL;
}

int command_stop(struct options *common, int argc, char **argv)
{
    const struct daemon_question question = {.method = "POST", .before = "/v1/stop"};
    struct stop stop = {.common = common, .timeout_ns = TIMEOUT_NS};
    char timeout[32];
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, &stop);
    CLEANUP(daemon_close) struct daemon *daemon = daemon_open(common, &code);
    json_t *answer = daemon == NULL ? NULL : daemon_ask(daemon, &question, &code);
    if (answer == NULL)
        return code;
    json_decref(answer);
    if (stop.timeout_ns == 0)
        return say(common, "stopping");
    if (wait_until_gone(daemon, stop.timeout_ns))
        return say(common, "stopped");
    output_error("the daemon at %s still stops after %s; `sluice stop' once more cancels what runs",
                 daemon_place(daemon),
                 units_format_duration(stop.timeout_ns, timeout, sizeof(timeout)));
    return EXIT_TASKS;
}
