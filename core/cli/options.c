#include "cli/options.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/output.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/units.h"

enum { OPTION_CONFIG = 1000, OPTION_PLUGINS, OPTION_FORMAT, OPTION_COLOUR };

static const struct argp_option options_table[] = {
    {.name = "config", .key = OPTION_CONFIG, .arg = "FILE", .doc = "configuration", .group = 1},
    {.name = "plugins",
     .key = OPTION_PLUGINS,
     .arg = "DIR",
     .doc = "plugin folder; repeatable, replaces the configured ones",
     .group = 1},
    {.name = "format", .key = OPTION_FORMAT, .arg = "text|json", .doc = "of results", .group = 1},
    {.name = "color",
     .key = OPTION_COLOUR,
     .arg = "auto|always|never",
     .doc = "auto: on a terminal",
     .group = 1},
    {.name = "quiet", .key = 'q', .doc = "print errors only", .group = 1},
    {.name = "verbose", .key = 'v', .doc = "log more", .group = 1},
    {0},
};

static const char *const formats[] = {"text", "json", NULL};
static const char *const colours[] = {"auto", "always", "never", NULL};

int options_word(struct argp_state *state, const char *option, const char *const *words,
                 const char *word)
{
    CLEANUP(buffer_fini) struct buffer allowed = BUFFER_EMPTY;

    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0)
            return i;
        buffer_printf(&allowed, "%s%s", i == 0 ? "" : ", ", words[i]);
    }
    argp_error(state, "%s: '%s' is not one of: %s", option, word, buffer_text(&allowed));
    return 0;
}

int64_t options_number(struct argp_state *state, const char *option, const char *text,
                       int64_t least, int64_t most)
{
    int64_t number;

    if (!units_parse_int(text, strlen(text), &number) || number < least || number > most)
        argp_error(state, "%s: '%s' is not an integer from %lld to %lld", option, text,
                   (long long)least, (long long)most);
    return number;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case OPTION_CONFIG:
        options->config_file = argument;
        return 0;
    case OPTION_PLUGINS:
        if (options->plugin_dirs_count == CONFIG_PLUGIN_DIRS_MOST)
            argp_error(state, "--plugins: more than %d folders", CONFIG_PLUGIN_DIRS_MOST);
        options->plugin_dirs[options->plugin_dirs_count++] = argument;
        return 0;
    case OPTION_FORMAT:
        options->format = (enum format)options_word(state, "--format", formats, argument);
        return 0;
    case OPTION_COLOUR:
        options->colour = (enum colour)options_word(state, "--color", colours, argument);
        return 0;
    case 'q':
        options->quiet = true;
        return 0;
    case 'v':
        options->verbose = true;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp options_argp = {.options = options_table, .parser = parse};
const struct argp_child options_children[2] = {
    {.argp = &options_argp, .header = OPTIONS_HEADER, .group = 1},
    {0},
};

error_t options_parse_alone(int key, char *argument, struct argp_state *state)
{
    (void)argument;
    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = state->input;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

/* Reads all of an open file, at most CONFIG_FILE_MOST_BYTES. */
static bool read_whole(int fd, const char *path, struct buffer *text, struct error *error)
{
    struct stat status;

    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return error_set(error, "unreadable",
                         "cannot read the configuration %s: not a regular file", path);
    for (;;) {
        ssize_t got = read(fd, buffer_reserve(text, 4096), 4096);
        if (got < 0)
            return error_errno(error, "unreadable", "cannot read the configuration %s", path);
        if (got == 0)
            return true;
        text->length += (size_t)got;
        if (text->length > CONFIG_FILE_MOST_BYTES)
            return error_set(error, "too_large", "the configuration %s is over %d bytes", path,
                             CONFIG_FILE_MOST_BYTES);
    }
}

/* Prints what is wrong; false if anything is. */
static bool read_config(const struct options *options, struct config *config,
                        const struct buffer *text)
{
    CLEANUP(diagnostics_fini) struct diagnostics diagnostics;

    diagnostics_init(&diagnostics, config->file);
    bool valid = config_read(config, text->bytes, text->length, &diagnostics);
    diagnostics_print(&diagnostics, output_messages(),
                      output_colour(options->colour, STDERR_FILENO));
    return valid;
}

static bool find_config(const struct options *options, const char *named, struct config *config,
                        int *code)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    CLEANUP(cleanup_close) int fd = -1;
    struct error error;

    *code = EXIT_HOST;
    if (!config_open(named, &config->file, &fd, &error) ||
        (fd >= 0 && !read_whole(fd, config->file, &text, &error)))
        return output_error("%s", error.message);
    *code = EXIT_USAGE;
    return fd < 0 || read_config(options, config, &text);
}

/* Everything but the default places. */
static bool read_all(const struct options *options, const char *named, struct config *config,
                     int *code)
{
    struct error error;

    config_init(config);
    if (!find_config(options, named, config, code))
        return false;
    if (options->verbose)
        config->log_level = LOG_DEBUG;
    if (options->quiet)
        config->log_level = LOG_ERROR;
    *code = EXIT_HOST;
    return options->plugin_dirs_count == 0 ||
           config_set_plugin_dirs(config, options->plugin_dirs, options->plugin_dirs_count,
                                  &error) ||
           output_error("%s", error.message);
}

bool options_reread(const struct options *options, const struct config *config, struct config *next)
{
    int ignored;

    return read_all(options, config->file != NULL ? config->file : options->config_file, next,
                    &ignored);
}

bool options_configure(const struct options *options, struct config *config, int *code)
{
    struct error error;

    if (!read_all(options, options->config_file, config, code))
        return false;
    log_configure(config->log_level, config->log_format);
    return config_places(config, &error) || output_error("%s", error.message);
}
