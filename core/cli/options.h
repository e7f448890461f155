/* options: what every command understands: --config, --plugins, --format, --color, --quiet,
 * -v. Read by argp as a child of each command's parser. Main thread. */
#pragma once

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include "config.h"

enum format { FORMAT_TEXT, FORMAT_JSON };
enum colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

/* Zero-initialise; the texts are the command line's. */
struct options {
    const char *config_file;
    const char *plugin_dirs[CONFIG_PLUGIN_DIRS_MOST];
    size_t plugin_dirs_count;
    enum format format;
    enum colour colour;
    bool quiet;
    bool verbose;
};

/* The parser's child and its end; its input (state->child_inputs[0]) is a struct options. */
extern const struct argp_child options_children[2];

/* What that child is made of, for a parser with other children beside it. */
extern const struct argp options_argp;
#define OPTIONS_HEADER "Common options:"

/* The parser of a command that has no options of its own; its input is a struct options. */
error_t options_parse_alone(int key, char *argument, struct argp_state *state);

/* Returns the index of word in words (NULL-terminated); an unknown one ends the program with a
 * message that lists them. option is named in it. */
int options_word(struct argp_state *state, const char *option, const char *const *words,
                 const char *word);

/* Returns a number from least to most; anything else ends the program with a message. */
int64_t options_number(struct argp_state *state, const char *option, const char *text,
                       int64_t least, int64_t most);

/* Reads the configuration and puts the options over it, sets up the log. True, or the reason was
 * printed and *code is the exit code. config_fini is due either way. */
bool options_configure(const struct options *options, struct config *config, int *code);

/* Reads the file of a configuration again into another one, and puts the options over it; without
 * one looks for it anew. False if the reason was printed. config_fini is due either way. */
bool options_reread(const struct options *options, const struct config *config,
                    struct config *next);
