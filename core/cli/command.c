#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/suggest.h"

struct command {
    const char *words, *arguments, *help;
    command_function *function;
};

static const struct command commands[] = {
#define COMMAND(words_, function_, arguments_, help_)                                              \
    {.words = words_, .arguments = arguments_, .help = help_, .function = function_},
#include "cli/commands.def"
#undef COMMAND
};
enum { COMMANDS_COUNT = sizeof(commands) / sizeof(commands[0]) };

const char *argp_program_version = "sluice " HOST_VERSION;

/* What stands before the command's name. */
struct head {
    struct options *options;
    int command; /* its index in argv; 0: none */
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct head *head = state->input;

    (void)argument;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = head->options;
        return 0;
    case ARGP_KEY_ARG:
        head->command = state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_state_help(state, stderr, ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK);
        exit(EXIT_USAGE);
    }
    return ARGP_ERR_UNKNOWN;
}

/* Puts the table of commands where argp has the text behind the options. */
static char *help(int key, const char *text, void *input)
{
    CLEANUP(buffer_fini) struct buffer list = BUFFER_EMPTY;

    (void)input;
    if (key != ARGP_KEY_HELP_PRE_DOC)
        return (char *)text;
    buffer_printf(&list, "%s\n\nCommands:\n", text);
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        char usage[64];
        snprintf(usage, sizeof(usage), "%s %s", commands[i].words, commands[i].arguments);
        buffer_printf(&list, "  %-22s %s\n", usage, commands[i].help);
    }
    return strdup(buffer_text(&list));
}

static const struct argp argp = {
    .parser = parse,
    .args_doc = "COMMAND [ARGUMENT...]",
    .doc = "Runs the tasks of job files with native plugins."
           "\v`sluice COMMAND --help' says more. For example:\n\n"
           "  sluice run nightly.yaml\n"
           "  sluice plugin info exec\n",
    .children = options_children,
    .help_filter = help,
};

/* Returns how many of the words are at the beginning of the arguments; 0 if not all are. */
static int words_match(const char *words, int argc, char **argv)
{
    size_t at = 0;

    for (int i = 0; i < argc; i++) {
        size_t length = strcspn(words + at, " ");
        if (strlen(argv[i]) != length || memcmp(words + at, argv[i], length) != 0)
            return 0;
        if (words[at + length] == '\0')
            return i + 1;
        at += length + 1;
    }
    return 0;
}

static void unknown_command(const char *name, const char *next)
{
    struct suggest suggest;
    char both[128];

    snprintf(both, sizeof(both), "%s %s", name, next == NULL ? "" : next);
    bool known = false;
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        known |= strncmp(commands[i].words, name, strlen(name)) == 0 &&
                 commands[i].words[strlen(name)] == ' ';
    const char *wrong = known ? both : name;
    suggest_begin(&suggest, wrong, strlen(wrong));
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        suggest_offer(&suggest, commands[i].words);
    if (known && next == NULL)
        output_error("'%s' wants to know what: see `sluice --help'", name);
    else if (suggest.best != NULL)
        output_error("unknown command '%s': did you mean '%s'?", wrong, suggest.best);
    else
        output_error("unknown command '%s': see `sluice --help'", wrong);
    exit(EXIT_USAGE);
}

int command_run(int argc, char **argv)
{
    static char name[64];
    struct options options = {0};
    struct head head = {.options = &options};

    argp_err_exit_status = EXIT_USAGE;
    argv[0] = "sluice";
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &head);
    argc -= head.command;
    argv += head.command;
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        int used = words_match(commands[i].words, argc, argv);
        if (used == 0)
            continue;
        snprintf(name, sizeof(name), "sluice %s", commands[i].words);
        argv[used - 1] = name;
        return commands[i].function(&options, argc - used + 1, argv + used - 1);
    }
    unknown_command(argv[0], argc > 1 ? argv[1] : NULL);
    return EXIT_USAGE;
}
