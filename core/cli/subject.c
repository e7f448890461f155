#include "cli/subject.h"

#include "support/cleanup.h"

error_t subject_parse(int key, char *argument, struct argp_state *state)
{
    struct subject *subject = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = subject->common;
        return 0;
    case ARGP_KEY_ARG:
        if (subject->name != NULL)
            argp_error(state, "one %s at a time", subject->what);
        subject->name = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which %s?", subject->what);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

error_t subject_parse_optional(int key, char *argument, struct argp_state *state)
{
    return key == ARGP_KEY_NO_ARGS ? 0 : subject_parse(key, argument, state);
}

int subject_find(const struct subject *subject, subject_finder *find, subject_function *function)
{
    int code;
    CLEANUP(daemon_close) struct daemon *daemon = daemon_open(subject->common, &code);
    CLEANUP(cleanup_free) char *id = daemon == NULL ? NULL : find(daemon, subject->name, &code);

    return id == NULL ? code : function(daemon, id, subject->common);
}
