#include "accept/job_file/yaml_problem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HINT_BYTES = 80 };

/* What libyaml says -> what we say. */
struct wording {
    const char *context; /* NULL: any */
    const char *problem;
    const char *message;
    const char *hint; /* NULL: none */
    enum { AT_PROBLEM, AT_BEGINNING } place;
};

static const char no_tabs[] = "a tab cannot indent: YAML indents by spaces";
static const char columns[] = "keys of one map begin in one column, as the '-' of one list do";

/* The first that fits counts. */
static const struct wording wordings[] = {
    {"while scanning a quoted scalar", "found unexpected end of stream",
     "a quoted string without its closing quote", NULL, AT_BEGINNING},
    {"while scanning a quoted scalar", "found unexpected document indicator",
     "a quoted string without its closing quote", NULL, AT_BEGINNING},
    {NULL, "found unknown escape character", "an unknown escape after '\\' in a quoted string",
     "in single quotes a '\\' stands for itself", AT_PROBLEM},
    {NULL, "found invalid Unicode character escape code",
     "an escape that is no character: half a surrogate pair, or beyond U+10FFFF", NULL, AT_PROBLEM},
    {NULL, "did not find expected hexdecimal number", "an escape without its hexadecimal digits",
     NULL, AT_PROBLEM},
    {"while parsing a flow mapping", "did not find expected ',' or '}'",
     "',' or '}' is missing before this", NULL, AT_PROBLEM},
    {"while parsing a flow sequence", "did not find expected ',' or ']'",
     "',' or ']' is missing before this", NULL, AT_PROBLEM},
    {"while parsing a block collection", "did not find expected '-' indicator",
     "neither an item of the list above nor a key of the map above", columns, AT_PROBLEM},
    {"while parsing a block mapping", "did not find expected key",
     "not a key of the map above, nor a part of its last value", columns, AT_PROBLEM},
    {NULL, "could not find expected ':'", "a key without a ':' behind it", NULL, AT_BEGINNING},
    {NULL, "mapping values are not allowed in this context",
     "a ':' that makes a key where none can be", "a text with ': ' in it has to be quoted",
     AT_PROBLEM},
    {NULL, "block sequence entries are not allowed in this context",
     "an item '- ' where no list can be", "a list begins on a line of its own", AT_PROBLEM},
    {NULL, "mapping keys are not allowed in this context", "a key where none can be", columns,
     AT_PROBLEM},
    {NULL, "found a tab character that violates indentation", no_tabs, NULL, AT_PROBLEM},
    {NULL, "found a tab character where an indentation space is expected", no_tabs, NULL,
     AT_PROBLEM},
    {NULL, "did not find expected <document start>", "text behind the end of the document", NULL,
     AT_PROBLEM},
    {NULL, "did not find expected node content", "a value is missing here", NULL, AT_PROBLEM},
    {NULL, "found character that cannot start any token", "a character that cannot begin a value",
     "quote the text that begins with it", AT_PROBLEM},
};

static const struct wording *find_wording(const yaml_parser_t *parser)
{
    for (size_t i = 0; i < sizeof wordings / sizeof wordings[0]; i++) {
        const char *context = wordings[i].context;
        if (strcmp(wordings[i].problem, parser->problem) == 0 &&
            (context == NULL || (parser->context != NULL && strcmp(context, parser->context) == 0)))
            return &wordings[i];
    }
    return NULL;
}

static struct place mark_place(yaml_mark_t mark)
{
    return (struct place){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1, 1};
}

/* libyaml names a tab as any character that begins nothing. */
static bool is_tab(const yaml_parser_t *parser)
{
    return strcmp(parser->problem, "found character that cannot start any token") == 0 &&
           parser->buffer.pointer < parser->buffer.last && *parser->buffer.pointer == '\t';
}

/* What is missing at the end of a list or map in brackets is seen late: its beginning helps. */
static bool is_bracket(const yaml_parser_t *parser)
{
    return parser->context != NULL &&
           (strcmp(parser->context, "while parsing a flow mapping") == 0 ||
            strcmp(parser->context, "while parsing a flow sequence") == 0);
}

static void report_syntax(const yaml_parser_t *parser, struct job_faults *faults)
{
    const struct wording *wording = find_wording(parser);
    struct job_fault fault = {JOB_FILE_SYNTAX, mark_place(parser->problem_mark), NULL};
    char began[HINT_BYTES];
    if (is_bracket(parser)) {
        struct place place = mark_place(parser->context_mark);
        snprintf(began, sizeof began, "the bracket in line %" PRIu32 ", column %" PRIu32 " is open",
                 place.line, place.column);
        fault.hint = began;
    }
    if (is_tab(parser)) {
        job_report(faults, fault, "%s", no_tabs);
    } else if (wording != NULL) {
        fault.hint = wording->hint != NULL ? wording->hint : fault.hint;
        if (wording->place == AT_BEGINNING)
            fault.place = mark_place(parser->context_mark);
        job_report(faults, fault, "%s", wording->message);
    } else {
        job_report(faults, fault, "not YAML: %s", parser->problem);
    }
}

/* libyaml's reader knows the byte, not the line. */
static void report_encoding(const yaml_parser_t *parser, struct job_input *input,
                            struct job_faults *faults)
{
    /* Of a character whose later bytes are wrong it names the first wrong byte. */
    uint64_t offset = parser->problem_offset;
    if (strcmp(parser->problem, "invalid trailing UTF-8 octet") == 0)
        offset = job_input_character(input, offset);
    struct place place = job_input_place(input, offset);
    if (strcmp(parser->problem, "control characters are not allowed") == 0)
        job_report(faults, (struct job_fault){JOB_FILE_ENCODING, place, NULL},
                   "a %s is not allowed in a job file",
                   parser->problem_value == 0 ? "NUL byte" : "control character");
    else
        job_report(faults, (struct job_fault){JOB_FILE_ENCODING, place, "job files are UTF-8"},
                   "bytes that are not UTF-8");
}

static void report_input(struct job_input *input, struct job_faults *faults)
{
    const struct place file = {0};
    switch (input->problem) {
    case JOB_INPUT_FINE:
    case JOB_INPUT_STOPPED:
    case JOB_INPUT_INTERRUPTED:
        break;
    case JOB_INPUT_UNREADABLE:
        job_report(faults, (struct job_fault){JOB_FILE_READ, file, NULL},
                   "cannot read the file: %s", strerror(input->error_number));
        break;
    case JOB_INPUT_TOO_LARGE:
        job_report(faults,
                   (struct job_fault){JOB_FILE_TOO_LARGE, file, "--stream reads files of any size"},
                   "the file is larger than 1 GiB");
        break;
    case JOB_INPUT_ENDLESS:
        job_report(faults, (struct job_fault){JOB_FILE_TOO_LARGE, file, NULL},
                   "16 MiB in one text or comment are too much");
        break;
    case JOB_INPUT_SEPARATOR:
        job_report(faults,
                   (struct job_fault){JOB_FILE_ENCODING,
                                      job_input_place(input, input->problem_offset),
                                      "in a quoted text write it as \\u0085, \\u2028 or \\u2029"},
                   "a line separator other than a newline");
        break;
    case JOB_INPUT_UTF16:
        job_report(faults, (struct job_fault){JOB_FILE_ENCODING, file, NULL},
                   "the file is UTF-16: job files are UTF-8");
        break;
    }
}

void yaml_problem_report(const yaml_parser_t *parser, struct job_input *input,
                         struct job_faults *faults)
{
    if (input->problem != JOB_INPUT_FINE)
        report_input(input, faults);
    else if (parser->error == YAML_READER_ERROR)
        report_encoding(parser, input, faults);
    else if (parser->error == YAML_MEMORY_ERROR)
        abort();
    else
        report_syntax(parser, faults);
}
