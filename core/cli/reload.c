#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/faults.h"
#include "cli/field.h"
#include "cli/output.h"
#include "support/cleanup.h"
#include "support/utf8.h"

static const struct argp argp = {
    .parser = options_parse_alone,
    .doc = "Has the daemon read its configuration and look at its plugin folders again, as SIGHUP "
           "does, "
           "and prints what has changed."
           "\vFor example:\n\n"
           "  sluice reload\n\n"
           "Exit code: 0; 2 the configuration is not valid (nothing of it has changed, plugins are "
           "reloaded all the same); 3 there is no daemon.\n",
    .children = options_children,
};

static void print_list(const char *head, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        CLEANUP(cleanup_free)
        char *clean = text == NULL ? NULL : utf8_clean_line(text, strlen(text));
        if (clean != NULL)
            printf("%s%s\n", head, clean);
    }
}

static void print_text(const json_t *answer)
{
    static const char *const kinds[] = {"kept", "replaced", "added", "removed", "refused"};
    const json_t *config = json_object_get(answer, "config");
    const json_t *changed = json_object_get(config, "changed");
    const json_t *restart = json_object_get(config, "restart");

    printf("plugins:");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        printf("%s %lld %s", i == 0 ? "" : ",", (long long)field_int(answer, kinds[i]), kinds[i]);
    printf("\n");
    print_list("configuration: ", changed);
    print_list("configuration, not before a restart: ", restart);
    if (json_array_size(changed) == 0 && json_array_size(restart) == 0)
        printf("configuration: nothing has changed\n");
}

int command_reload(struct options *common, int argc, char **argv)
{
    const struct daemon_question question = {.method = "POST", .before = "/v1/reload"};
    CLEANUP(daemon_answer_fini) struct daemon_answer answer = {0};
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, common);
    CLEANUP(daemon_close) struct daemon *daemon = daemon_open(common, &code);
    if (daemon == NULL)
        return code;
    if (!daemon_send(daemon, &question, &answer) || !json_is_object(answer.json)) {
        faults_print(answer.json, output_colour(common->colour, STDERR_FILENO));
        return daemon_explain(daemon, &answer);
    }
    if (common->format == FORMAT_JSON)
        output_json(json_incref(answer.json));
    else if (!common->quiet)
        print_text(answer.json);
    return EXIT_ALL_WELL;
}
