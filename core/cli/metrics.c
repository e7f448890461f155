#include <stdio.h>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/output.h"
#include "support/cleanup.h"

static const struct argp argp = {
    .parser = options_parse_alone,
    .doc = "Prints the daemon's metrics once, as Prometheus would get them."
           "\vFor example:\n\n"
           "  sluice metrics | grep task_submitted_total\n\n"
           "Exit code: 0; 3 there is no daemon.\n",
    .children = options_children,
};

int command_metrics(struct options *common, int argc, char **argv)
{
    const struct daemon_question question = {.before = "/metrics"};
    CLEANUP(daemon_answer_fini) struct daemon_answer answer = {0};
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, common);
    if (common->format == FORMAT_JSON) {
        output_error("metrics have one format: leave --format out");
        return EXIT_USAGE;
    }
    CLEANUP(daemon_close) struct daemon *daemon = daemon_open(common, &code);
    if (daemon == NULL)
        return code;
    if (!daemon_send(daemon, &question, &answer))
        return daemon_explain(daemon, &answer);
    fwrite(answer.body.bytes, 1, answer.body.length, stdout);
    return EXIT_ALL_WELL;
}
