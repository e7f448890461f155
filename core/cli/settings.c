#include "cli/settings.h"

#include <string.h>

#include "support/utf8.h"

void settings_add(struct settings *settings, char *argument, struct argp_state *state)
{
    static const char scope[] = "vars.";
    size_t scope_length = sizeof scope - 1;
    char *equals = strchr(argument, '=');

    if (strncmp(argument, scope, scope_length) != 0 || equals == NULL ||
        equals == argument + scope_length)
        argp_error(state, "--set: '%s' is not vars.NAME=VALUE", argument);
    if (!utf8_is_valid(equals + 1, strlen(equals + 1)))
        argp_error(state, "--set: the value is not UTF-8");
    if (strlen(equals + 1) > JOB_FILE_STRING_MOST_BYTES)
        argp_error(state, "--set: the value is over %d bytes", JOB_FILE_STRING_MOST_BYTES);
    if (settings->count == SETTINGS_MOST)
        argp_error(state, "--set: more than %d variables", SETTINGS_MOST);
    *equals = '\0';
    settings->items[settings->count++] =
        (struct job_setting){.name = argument + scope_length, .value = equals + 1};
}
