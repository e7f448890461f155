#include "accept/yaml_problem.h"

#include <stdlib.h>
#include <string.h>

#include "accept/job_report.h"

/* What libyaml says -> what we say; the first that fits, context NULL fits every one. */
struct wording {
    const char *context, *problem;
    const char *message, *hint;
};

static const struct wording wordings[] = {
    {"while scanning a quoted scalar", "found unexpected end of stream",
     "a quoted string has no end", "the closing quote is missing"},
    {"while scanning a quoted scalar", "found unexpected document indicator",
     "a quoted string has no end", "the closing quote is missing"},
    {NULL, "found unknown escape character", "an unknown escape after '\\' in a quoted string",
     "in single quotes a '\\' stands for itself"},
    {NULL, "found invalid Unicode character escape code",
     "an escape that is no character: half a surrogate pair, or beyond U+10FFFF", NULL},
    {NULL, "did not find expected hexdecimal number", "an escape without its hexadecimal digits",
     NULL},
    {"while parsing a flow mapping", "did not find expected ',' or '}'",
     "',' or '}' is missing in a map that began with '{'", NULL},
    {"while parsing a flow sequence", "did not find expected ',' or ']'",
     "',' or ']' is missing in a list that began with '['", NULL},
    {"while parsing a block collection", "did not find expected '-' indicator",
     "an item of a list begins with '- ', in the column of the items before", NULL},
    {"while parsing a block mapping", "did not find expected key",
     "a key is expected here: it begins in another column than the keys before", NULL},
    {NULL, "could not find expected ':'", "a key without a ':' behind it", NULL},
    {NULL, "mapping values are not allowed in this context",
     "a ':' that makes a key where none can be", "a text with ': ' in it has to be quoted"},
    {NULL, "block sequence entries are not allowed in this context",
     "a list item '- ' where none can be", "a list begins on a line of its own"},
    {NULL, "mapping keys are not allowed in this context", "a key where none can be", NULL},
    {NULL, "found a tab character that violates indentation",
     "a tab cannot indent: YAML indents by spaces", NULL},
    {NULL, "found a tab character where an indentation space is expected",
     "a tab cannot indent: YAML indents by spaces", NULL},
    {NULL, "did not find expected <document start>", "text after the end of the document", NULL},
    {NULL, "did not find expected node content", "a value is missing here", NULL},
    {NULL, "found unexpected end of stream", "the file ends in the middle of a value", NULL},
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

/* The character where libyaml stopped, if it still has it. */
static bool stopped_at(const yaml_parser_t *parser, char character)
{
    return parser->buffer.pointer < parser->buffer.last && *parser->buffer.pointer == character;
}

static void report_syntax(const yaml_parser_t *parser, struct diagnostics *diagnostics)
{
    struct place place = mark_place(parser->problem_mark);
    const struct wording *wording = find_wording(parser);
    if (strcmp(parser->problem, "found character that cannot start any token") == 0 &&
        stopped_at(parser, '\t'))
        job_report(diagnostics, (struct job_fault){JOB_FILE_SYNTAX, place, NULL},
                   "a tab cannot indent: YAML indents by spaces");
    else if (strcmp(parser->problem, "found character that cannot start any token") == 0)
        job_report(diagnostics,
                   (struct job_fault){JOB_FILE_SYNTAX, place, "quote the text that begins with it"},
                   "a character that cannot begin a value");
    else if (wording != NULL)
        job_report(diagnostics, (struct job_fault){JOB_FILE_SYNTAX, place, wording->hint}, "%s",
                   wording->message);
    else
        job_report(diagnostics, (struct job_fault){JOB_FILE_SYNTAX, place, NULL}, "not YAML: %s",
                   parser->problem);
}

/* libyaml's reader knows the byte, not the line. */
static void report_encoding(const yaml_parser_t *parser, struct job_input *input,
                            struct diagnostics *diagnostics)
{
    struct place place = job_input_place(input, parser->problem_offset);
    if (strcmp(parser->problem, "control characters are not allowed") == 0)
        job_report(diagnostics, (struct job_fault){JOB_FILE_ENCODING, place, NULL},
                   "a %s is not allowed in a job file",
                   parser->problem_value == 0 ? "NUL byte" : "control character");
    else
        job_report(diagnostics, (struct job_fault){JOB_FILE_ENCODING, place, "job files are UTF-8"},
                   "bytes that are not UTF-8");
}

static void report_input(const struct job_input *input, struct diagnostics *diagnostics)
{
    const struct place file = {0};
    switch (input->problem) {
    case JOB_INPUT_FINE:
    case JOB_INPUT_STOPPED:
        break;
    case JOB_INPUT_UNREADABLE:
        job_report(diagnostics, (struct job_fault){JOB_FILE_READ, file, NULL},
                   "cannot read the file: %s", strerror(input->error_number));
        break;
    case JOB_INPUT_TOO_LARGE:
        job_report(diagnostics,
                   (struct job_fault){JOB_FILE_TOO_LARGE, file, "--stream reads files of any size"},
                   "the file is larger than 1 GiB");
        break;
    case JOB_INPUT_ENDLESS:
        job_report(diagnostics, (struct job_fault){JOB_FILE_TOO_LARGE, file, NULL},
                   "16 MiB in one text or comment are too much");
        break;
    case JOB_INPUT_UTF16:
        job_report(diagnostics, (struct job_fault){JOB_FILE_ENCODING, file, NULL},
                   "the file is UTF-16: job files are UTF-8");
        break;
    }
}

void yaml_problem_report(const yaml_parser_t *parser, struct job_input *input,
                         struct diagnostics *diagnostics)
{
    if (input->problem != JOB_INPUT_FINE)
        report_input(input, diagnostics);
    else if (parser->error == YAML_READER_ERROR)
        report_encoding(parser, input, diagnostics);
    else if (parser->error == YAML_MEMORY_ERROR)
        abort();
    else
        report_syntax(parser, diagnostics);
}
